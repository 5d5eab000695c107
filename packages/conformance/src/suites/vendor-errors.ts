/** Failed completions say why: `vendorErr` by the numbers of `VendorErr`, with the key that it is about. */
import { expect } from 'chai';
import { AccessFlags, VendorErr, WcStatus, type SendWrInit, type WorkCompletion } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { PairOptions } from '../bench/bench.ts';
import { completions } from '../bench/completions.ts';
import { IMPATIENT } from '../bench/connect.ts';
import { send, write } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

interface Pair {
  readonly a: Side;
  readonly b: Side;
}

/** One way to fail. */
interface Failure {
  readonly title: string;
  readonly needs?: readonly CapabilityName[];
  readonly pair?: PairOptions;
  /** What `a` posts; it may prepare `b`. */
  readonly request: (pair: Pair) => SendWrInit;
  /** Codes that say it. A device that is told by a packet only knows what the packet says. */
  readonly codes: readonly VendorErr[];
  /** The key that `faultKey` must then be. */
  readonly key?: (request: SendWrInit) => number;
}

const NO_KEY = 0xdeadbeef;
const { NAK_REMOTE_ACCESS, NAK_INVALID_REQUEST } = VendorErr;

const lkeyOf = ({ sgList }: SendWrInit): number => sgList![0].lkey;
const rkeyOf = ({ rkey }: SendWrInit): number => rkey!;
/** A write of 8 bytes to a region of `b` that is of `access`, in `pd`, at `offset`. */
function writeTo({ a, b }: Pair, access: number, pd = b.pd, offset = 0): SendWrInit {
  const { rkey, addr } = pd.regMr(b.bytes.subarray(0, 64), access);
  return write(1, [a.sge(0, 8)], b, 0, { rkey, remoteAddr: addr + offset });
}

const FAILURES: readonly Failure[] = [
  {
    title: 'an lkey that nobody was given',
    request: ({ a }) => send(1, [{ ...a.sge(0, 8), lkey: NO_KEY }]),
    codes: [VendorErr.BAD_LKEY],
    key: lkeyOf,
  },
  {
    title: 'an lkey of another protection domain',
    request: ({ a }) => send(1, [a.registerNew(64, ACCESS_ALL, a.context.allocPd()).sge(0, 8)]),
    codes: [VendorErr.LKEY_PD_MISMATCH],
    key: lkeyOf,
  },
  {
    title: 'an address beyond the lkey',
    request: ({ a }) => send(1, [{ ...a.sge(0, 8), addr: a.mr.addr + a.mr.length }]),
    codes: [VendorErr.LKEY_RANGE],
    key: lkeyOf,
  },
  {
    title: 'an rkey that nobody was given',
    needs: ['rdmaWrite'],
    request: ({ a, b }) => write(1, [a.sge(0, 8)], b, 0, { rkey: NO_KEY }),
    codes: [VendorErr.BAD_RKEY, NAK_REMOTE_ACCESS],
    key: rkeyOf,
  },
  {
    title: 'an rkey of another protection domain',
    needs: ['rdmaWrite'],
    request: (pair) => writeTo(pair, ACCESS_ALL, pair.b.context.allocPd()),
    codes: [VendorErr.RKEY_PD_MISMATCH, NAK_REMOTE_ACCESS],
    key: rkeyOf,
  },
  {
    title: 'an address beyond the rkey',
    needs: ['rdmaWrite'],
    request: (pair) => writeTo(pair, ACCESS_ALL, pair.b.pd, 60),
    codes: [VendorErr.RKEY_RANGE, NAK_REMOTE_ACCESS],
    key: rkeyOf,
  },
  {
    title: 'a region without REMOTE_WRITE',
    needs: ['rdmaWrite'],
    request: (pair) => writeTo(pair, AccessFlags.LOCAL_WRITE),
    codes: [VendorErr.RKEY_NO_REMOTE_WRITE, NAK_REMOTE_ACCESS],
    key: rkeyOf,
  },
  {
    title: 'a QP without REMOTE_WRITE',
    needs: ['rdmaWrite'],
    pair: { connectionOfB: { qpAccessFlags: 0 } },
    request: ({ a, b }) => write(1, [a.sge(0, 8)], b),
    codes: [VendorErr.QP_NO_REMOTE_WRITE, NAK_INVALID_REQUEST],
  },
  {
    title: 'a peer without a receive',
    pair: { connection: { rnrRetry: 0 } },
    request: ({ a }) => send(1, [a.sge(0, 8)]),
    codes: [VendorErr.RNR],
  },
  {
    title: 'a peer that does not answer',
    pair: { connection: IMPATIENT, connectionOfA: { ...IMPATIENT, destQpNum: 0xfffffe } },
    request: ({ a }) => send(1, [a.sge(0, 8)]),
    codes: [VendorErr.NO_RESPONSE],
  },
];

function expectReason({ status, vendorErr, faultKey }: WorkCompletion, codes: readonly VendorErr[], key = 0): void {
  expect(status, 'status').to.not.equal(WcStatus.SUCCESS);
  expect(codes, 'vendorErr').to.include(vendorErr);
  if (key !== 0) expect(faultKey, 'faultKey').to.equal(key);
}

export const vendorErrorsSuite = defineSuite('vendor-errors', ['rc', 'vendorErrors'], (suite) => {
  for (const { title, needs = [], pair: options, request, codes, key } of FAILURES) {
    suite.provokes(`say: ${title}`, needs, async (bench) => {
      const pair = bench.pair(options);
      const bad = request(pair);
      pair.a.qp.postSend([bad, send(2, [])]);
      const [failed, flushed] = await completions(pair.a.sendCq, 2);
      expectReason(failed, codes, key?.(bad));
      expectReason(flushed, [VendorErr.FLUSHED]);
    });
  }

  suite.provokes('say at both ends: a receive that is too small', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 4)] });
    a.qp.postSend(send(2, [a.sge(0, 8)]));
    const [[there], [here]] = [await completions(b.recvCq, 1), await completions(a.sendCq, 1)];
    expectReason(there, [VendorErr.RECV_TOO_SMALL]);
    expectReason(here, [VendorErr.RECV_TOO_SMALL, NAK_INVALID_REQUEST]);
  });
});
