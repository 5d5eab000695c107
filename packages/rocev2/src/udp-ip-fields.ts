/** IP and UDP headers as numbers. One object serves for all frames. */

/**
 * The fields of IP and UDP headers.
 *
 * An address is four words, as an `Int32Array` over the 16 bytes of a GID has them on a little-endian machine. An IPv4 address is
 * the last word of `::ffff:a.b.c.d`.
 */
export class UdpIp {
  /** 4 or 6. */
  version = 6;
  /** Traffic class of IPv6, TOS of IPv4: 8 bits. */
  trafficClass = 0;
  /** IPv6: 20 bits. */
  flowLabel = 0;
  /** Hop limit of IPv6, TTL of IPv4: 8 bits. */
  hopLimit = 64;
  /** IPv4: 16 bits. 0 is allowed, as no frame is ever cut (RFC 6864 section 4.1). */
  identification = 0;

  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;

  /** UDP: see `udpSourcePort`. */
  sourcePort = 0;
  /** UDP: bytes of UDP header, packet and ICRC. */
  udpLength = 0;
}
