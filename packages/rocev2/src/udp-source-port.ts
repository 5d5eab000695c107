/** The UDP source port: entropy, by which switches spread flows over paths. */

const PORT_MIN = 0xc000;

/**
 * The source port of a flow (source: rdma_get_udp_sport and ibv_flow_label_to_udp_sport of Linux and rdma-core).
 *
 * @param flowLabel of the address vector, 20 bits; 0 means that both QP numbers make one up
 * @param localQpn 24 bits
 * @param remoteQpn 24 bits
 * @returns 0xc000 to 0xffff, always the same for the same flow
 */
export function udpSourcePort(flowLabel: number, localQpn: number, remoteQpn: number): number {
  const label = flowLabel === 0 ? flowLabelOf(localQpn, remoteQpn) : flowLabel;
  return PORT_MIN | ((label & 0x3fff) ^ ((label >>> 14) & 0x3f));
}

/** The product of both QPNs, 48 bits, folded to 20: v ^= v >> 20, v ^= v >> 40. A double holds it exactly. */
function flowLabelOf(localQpn: number, remoteQpn: number): number {
  const product = localQpn * remoteQpn;
  const above20 = Math.floor(product / 0x100000);
  return ((product % 0x100000) ^ above20 ^ (above20 >>> 20)) & 0xfffff;
}
