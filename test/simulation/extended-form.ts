/** The extended form of posting: the same work requests, built field by field (ibv_wr_post(3)). */
import { SendFlags, WrOpcode } from 'openverbs';
import type { QueuePair, SendWr } from 'openverbs';

type Build = (qp: QueuePair, wr: SendWr, remoteAddr: number) => void;

const BUILD: Readonly<Record<number, Build>> = {
  [WrOpcode.SEND]: (qp) => qp.wrSend(),
  [WrOpcode.SEND_WITH_IMM]: (qp, { immData }) => qp.wrSendImm(immData),
  [WrOpcode.SEND_WITH_INV]: (qp, { invalidateRkey }) => qp.wrSendInv(invalidateRkey),
  [WrOpcode.RDMA_WRITE]: (qp, { rkey }, addr) => qp.wrRdmaWrite(rkey, addr),
  [WrOpcode.RDMA_WRITE_WITH_IMM]: (qp, { rkey, immData }, addr) => qp.wrRdmaWriteImm(rkey, addr, immData),
  [WrOpcode.RDMA_READ]: (qp, { rkey }, addr) => qp.wrRdmaRead(rkey, addr),
  [WrOpcode.ATOMIC_CMP_AND_SWP]: (qp, wr, addr) => qp.wrAtomicCmpSwp(wr.rkey, addr, wr.compareAdd, wr.swap),
  [WrOpcode.ATOMIC_FETCH_AND_ADD]: (qp, wr, addr) => qp.wrAtomicFetchAdd(wr.rkey, addr, wr.compareAdd),
  [WrOpcode.FLUSH]: (qp, wr, addr) => qp.wrFlush(wr.rkey, addr, wr.flushLength, wr.flushType, wr.flushLevel),
  [WrOpcode.BIND_MW]: (qp, { bindMw }) => qp.wrBindMw(bindMw!.mw, bindMw!.rkey, bindMw!),
  [WrOpcode.LOCAL_INV]: (qp, { invalidateRkey }) => qp.wrLocalInv(invalidateRkey),
};

/** Whether the extended form has the operation as it is: it takes the bytes of an ATOMIC_WRITE, and no SGE. */
export function isExtendable({ opcode, inlineData }: SendWr): boolean {
  return opcode !== WrOpcode.ATOMIC_WRITE || inlineData !== null;
}

/** Posts all, or throws and posts none. */
export function postExtended(qp: QueuePair, wrs: readonly SendWr[]): void {
  qp.wrStart();
  for (const wr of wrs) {
    qp.wrId = wr.wrId;
    qp.wrFlags = wr.sendFlags & ~SendFlags.INLINE;
    const remoteAddr = Number(wr.remoteAddr);
    if (wr.opcode === WrOpcode.ATOMIC_WRITE) qp.wrAtomicWrite(wr.rkey, remoteAddr, wr.inlineData!);
    else {
      BUILD[wr.opcode](qp, wr, remoteAddr);
      setData(qp, wr);
    }
    if (wr.ah !== null) qp.wrSetUdAddr(wr.ah, wr.remoteQpn, wr.remoteQkey);
    if (wr.remoteSrqn !== 0) qp.wrSetXrcSrqn(wr.remoteSrqn);
  }
  qp.wrComplete();
}

function setData(qp: QueuePair, { sgList, inlineData }: SendWr): void {
  if (inlineData !== null) qp.wrSetInlineData(inlineData);
  else if (sgList.length === 1) qp.wrSetSge(sgList[0].lkey, sgList[0].addr, sgList[0].length);
  else if (sgList.length > 1) qp.wrSetSgeList(sgList);
}
