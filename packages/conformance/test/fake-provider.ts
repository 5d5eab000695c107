/** A provider of a few lines, without QPs: enough for the suites of devices, contexts, protection domains and regions. */
import { AtomicCap, Device, Gid, GidType, Mtu, NodeType, PortState, TransportType, VerbsError } from '@openverbs/verbs';
import type { DeviceAttr, PortAttr } from '@openverbs/verbs';
import { CAPABILITY_MANIFEST_VERSION } from '@openverbs/verbs/driver';
import type {
  CapabilityManifest,
  ContextOps,
  CqDataPath,
  EventDispatcherOps,
  EventSource,
} from '@openverbs/verbs/driver';

const LIMIT = 1000;
const PAGE_BYTES = 4096;
const MEMORY_BYTES = 2 ** 32;
const GUID = 0x0200000000000001n;

/** What the fake does; the manifest may say something else. */
export interface FakeOptions {
  readonly claims: CapabilityManifest['supports'];
  readonly hasBuffers: boolean;
}

/** A device whose manifest is `claims`, whatever it does. */
export function fakeDevice(options: FakeOptions): Device {
  const capabilities = { version: CAPABILITY_MANIFEST_VERSION, supports: options.claims } as const;
  const { CA: nodeType } = NodeType;
  const { IB: transportType } = TransportType;
  const open = (): ContextOps => fakeContext(options);
  return new Device({ name: 'fake0', guid: GUID, nodeType, transportType, capabilities, open }, 'fake', dispatcher);
}

/** Events never come, so there is nothing to route. */
const dispatcher: EventDispatcherOps = {
  attach: () => ({ add() {}, remove() {}, dropped: 0, dispatch() {}, hold() {}, release() {}, detach() {} }),
};

const events: EventSource = { next: () => false, setInterruptHandler() {}, hold() {}, release() {} };

const deviceAttr = {
  nodeGuid: GUID,
  maxMrSize: MEMORY_BYTES,
  maxQp: LIMIT,
  maxQpWr: LIMIT,
  maxSge: 1,
  maxCq: LIMIT,
  maxCqe: LIMIT,
  maxMr: LIMIT,
  maxPd: LIMIT,
  physPortCnt: 1,
  atomicCap: AtomicCap.NONE,
  maxSrq: 0,
  maxMcastGrp: 0,
  maxMw: 0,
  deviceCapFlags: 0,
} as DeviceAttr;

const portAttr = {
  state: PortState.ACTIVE,
  activeMtu: Mtu.MTU_1024,
  maxMtu: Mtu.MTU_4096,
  gidTblLen: 1,
  pkeyTblLen: 1,
} as PortAttr;

const cqPath: CqDataPath = { kind: 'calls', poll: () => 0, reqNotify() {} };

function fakeContext({ hasBuffers }: FakeOptions): ContextOps {
  let handles = 0;
  let nextAddr = PAGE_BYTES;
  const gid = Gid.parse('fe80:0000:0000:0000:0200:0000:0000:0001');
  const allocBuf: NonNullable<ContextOps['allocBuf']> = (length, alignment) => {
    if (length > MEMORY_BYTES) throw new VerbsError({ code: 'ENOMEM', message: 'the fake has 4 GiB' });
    const addr = Math.ceil(nextAddr / alignment) * alignment;
    nextAddr = addr + length;
    return { handle: ++handles, addr, bytes: new Uint8Array(length) };
  };
  return {
    events,
    close() {},
    queryDevice: () => deviceAttr,
    queryPort: () => portAttr,
    queryGid: () => ({ gid, gidIndex: 0, portNum: 1, gidType: GidType.IB, ndevIfindex: 0 }),
    queryPkey: () => 0xffff,
    allocPd: () => ++handles,
    deallocPd() {},
    createCq: ({ cqe }) => ({ handle: ++handles, cqe, dataPath: cqPath }),
    destroyCq() {},
    regMr: ({ offset }) => ({ handle: ++handles, lkey: handles, rkey: handles, addr: PAGE_BYTES + offset }),
    deregMr() {},
    ...(hasBuffers ? { allocBuf, freeBuf() {} } : {}),
  };
}
