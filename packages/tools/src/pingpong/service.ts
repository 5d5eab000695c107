/** What a ping-pong can run over, and what is different then; as a table. */
import { GRH_BYTES, QpType } from '@openverbs/verbs';

/** One transport service, as a ping-pong sees it. */
export interface Service {
  readonly qpType: QpType;
  /** What the network loses is sent again. */
  readonly isReliable: boolean;
  /** Receives come from one queue, which several QPs share. */
  readonly hasSrq: boolean;
  /** A connection is two QPs at each end, one that sends and one that receives, and each message names the shared queue that it is for. */
  readonly isExtended: boolean;
  /** Bytes in front of each message where it is received. */
  readonly headerBytes: number;
  /** A message is one packet, so its size ends at the MTU of the port, and the path has no MTU of its own. */
  readonly isDatagram: boolean;
  /** Bytes of a message, if nobody says. */
  readonly sizeDefault: number;
  /** QPs at each end, if nobody says. */
  readonly numQpDefault: number;
  /** Exchanges, if nobody says: over all QPs together, or with each client. */
  readonly itersDefault: number;
  /** What stands between PSN and GID in the line of the local address: the C tools do not agree. */
  readonly localGidSeparator: ',' | ':';
}

const CONNECTED: Omit<Service, 'qpType' | 'isReliable'> = {
  hasSrq: false,
  isExtended: false,
  headerBytes: 0,
  isDatagram: false,
  sizeDefault: 4096,
  numQpDefault: 1,
  itersDefault: 1000,
  localGidSeparator: ',',
};

export const SERVICES = {
  RC: { ...CONNECTED, qpType: QpType.RC, isReliable: true },
  UC: { ...CONNECTED, qpType: QpType.UC, isReliable: false },
  UD: {
    ...CONNECTED,
    qpType: QpType.UD,
    isReliable: false,
    headerBytes: GRH_BYTES,
    isDatagram: true,
    sizeDefault: 1024,
    localGidSeparator: ':',
  },
  SRQ: { ...CONNECTED, qpType: QpType.RC, isReliable: true, hasSrq: true, numQpDefault: 16 },
  XSRQ: {
    ...CONNECTED,
    qpType: QpType.XRC_SEND,
    isReliable: true,
    hasSrq: true,
    isExtended: true,
    itersDefault: 5,
  },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof SERVICES;

/** The row of a service. */
export function serviceOf({ service }: { readonly service: ServiceName }): Service {
  return SERVICES[service];
}
