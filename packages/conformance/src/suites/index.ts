/** All suites, in the order in which they run: objects first, then what they do, then what goes wrong. */
import type { ConformanceSuite } from '../define-suite.ts';
import { addressHandleSuite } from './address-handle.ts';
import { asyncEventsSuite } from './async-events.ts';
import { atomicWriteSuite } from './atomic-write.ts';
import { atomicsSuite } from './atomics.ts';
import { channelSuite } from './channel.ts';
import { contextSuite } from './context.ts';
import { cqModerationSuite } from './cq-moderation.ts';
import { cqOverrunSuite } from './cq-overrun.ts';
import { cqResizeSuite } from './cq-resize.ts';
import { cqRoomSuite } from './cq-room.ts';
import { cqSuite } from './cq.ts';
import { deviceFatalSuite } from './device-fatal.ts';
import { deviceFaultsSuite } from './device-faults.ts';
import { deviceSuite } from './device.ts';
import { extendedCqSuite } from './extended-cq.ts';
import { extendedPostsSuite } from './extended-posts.ts';
import { flushVerbSuite } from './flush-verb.ts';
import { flushSuite } from './flush.ts';
import { hostileRingsSuite } from './hostile-rings.ts';
import { hostileSrqSuite } from './hostile-srq.ts';
import { hostileWqeSuite } from './hostile-wqe.ts';
import { hwCountersSuite } from './hw-counters.ts';
import { inlineSuite } from './inline.ts';
import { lifetimesSuite } from './lifetimes.ts';
import { invalidateSuite } from './invalidate.ts';
import { limitsSuite } from './limits.ts';
import { localErrorsSuite } from './local-errors.ts';
import { memoryWindow1Suite } from './memory-window-1.ts';
import { memoryWindow2Suite } from './memory-window-2.ts';
import { mrIovaSuite } from './mr-iova.ts';
import { mrReregSuite } from './mr-rereg.ts';
import { mrSuite } from './mr.ts';
import { nullMrSuite } from './null-mr.ts';
import { multicastSuite } from './multicast.ts';
import { orderingSuite } from './ordering.ts';
import { parentDomainsSuite } from './parent-domains.ts';
import { pathMigrationSuite } from './path-migration.ts';
import { pathMtuSuite } from './path-mtu.ts';
import { pdSuite } from './pd.ts';
import { physicalMrSuite } from './physical-mr.ts';
import { pkeySuite } from './pkey.ts';
import { postingSuite } from './posting.ts';
import { qpAttributesSuite } from './qp-attributes.ts';
import { qpStateSuite } from './qp-state.ts';
import { qpSuite } from './qp.ts';
import { qkeySuite } from './qkey.ts';
import { rdmaReadSuite } from './rdma-read.ts';
import { rdmaWriteSuite } from './rdma-write.ts';
import { receiveErrorsSuite } from './receive-errors.ts';
import { remoteErrorsSuite } from './remote-errors.ts';
import { rnrSuite } from './rnr.ts';
import { selfLoopbackSuite } from './self-loopback.ts';
import { sendRecvSuite } from './send-recv.ts';
import { sgeListsSuite } from './sge-lists.ts';
import { solicitedSuite } from './solicited.ts';
import { sqdSuite } from './sqd.ts';
import { srqEventsSuite } from './srq-events.ts';
import { srqResizeSuite } from './srq-resize.ts';
import { srqUnreliableSuite } from './srq-unreliable.ts';
import { srqSuite } from './srq.ts';
import { turnedBitsSuite } from './turned-bits.ts';
import { ucErrorsSuite } from './uc-errors.ts';
import { ucStateSuite } from './uc-state.ts';
import { ucSuite } from './uc.ts';
import { udErrorsSuite } from './ud-errors.ts';
import { udSuite } from './ud.ts';
import { unreachableSuite } from './unreachable.ts';
import { vendorErrorsSuite } from './vendor-errors.ts';
import { xrcObjectsSuite } from './xrc-objects.ts';
import { xrcSuite } from './xrc.ts';

/** All suites, in the order in which they run. */
export const suites: readonly ConformanceSuite[] = [
  deviceSuite,
  contextSuite,
  pdSuite,
  parentDomainsSuite,
  mrSuite,
  cqSuite,
  channelSuite,
  qpSuite,
  qpStateSuite,
  qpAttributesSuite,
  postingSuite,
  extendedPostsSuite,
  sendRecvSuite,
  rdmaWriteSuite,
  rdmaReadSuite,
  atomicsSuite,
  atomicWriteSuite,
  flushVerbSuite,
  mrReregSuite,
  mrIovaSuite,
  nullMrSuite,
  physicalMrSuite,
  memoryWindow1Suite,
  memoryWindow2Suite,
  invalidateSuite,
  inlineSuite,
  sgeListsSuite,
  pathMtuSuite,
  orderingSuite,
  selfLoopbackSuite,
  rnrSuite,
  hwCountersSuite,
  srqSuite,
  srqEventsSuite,
  srqResizeSuite,
  srqUnreliableSuite,
  xrcObjectsSuite,
  xrcSuite,
  solicitedSuite,
  asyncEventsSuite,
  localErrorsSuite,
  remoteErrorsSuite,
  vendorErrorsSuite,
  receiveErrorsSuite,
  pathMigrationSuite,
  deviceFaultsSuite,
  deviceFatalSuite,
  unreachableSuite,
  flushSuite,
  sqdSuite,
  cqOverrunSuite,
  cqResizeSuite,
  cqRoomSuite,
  ucSuite,
  ucErrorsSuite,
  ucStateSuite,
  cqModerationSuite,
  extendedCqSuite,
  udSuite,
  udErrorsSuite,
  addressHandleSuite,
  qkeySuite,
  pkeySuite,
  multicastSuite,
  lifetimesSuite,
  limitsSuite,
  hostileWqeSuite,
  hostileRingsSuite,
  hostileSrqSuite,
  turnedBitsSuite,
];
