/** WQEs with bits turned over at random: whatever comes of it, it ends, and memory that no key gives stays as it is. */
import { expect } from 'chai';
import { QpState, WcStatus, wcStatusStr, type MemoryRegion } from '@openverbs/verbs';
import { SEND_WQE_BYTES_MIN } from '@openverbs/verbs/rings';
import type { Bench } from '../bench/bench.ts';
import { completions } from '../bench/completions.ts';
import { IMPATIENT, connect } from '../bench/connect.ts';
import { snapshot } from '../bench/payload.ts';
import { Prng } from '../bench/prng.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory, type Side } from '../bench/side.ts';
import { lastSendWqe } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';
import { tamperedPair } from './hostile-wqe.ts';

const ROUNDS = 500;
const BITS_MAX = 3;
const WQE_WORDS = SEND_WQE_BYTES_MIN / 4;
const CONNECTION = { ...IMPATIENT, rnrRetry: 0 };

/** Statuses that a bad request can end with; BAD_RESP_ERR, FATAL_ERR and the like are faults of the device. */
const STATUSES: readonly number[] = [
  WcStatus.SUCCESS,
  WcStatus.LOC_LEN_ERR,
  WcStatus.LOC_QP_OP_ERR,
  WcStatus.LOC_PROT_ERR,
  WcStatus.MW_BIND_ERR,
  WcStatus.REM_INV_REQ_ERR,
  WcStatus.REM_ACCESS_ERR,
  WcStatus.REM_OP_ERR,
  WcStatus.RNR_RETRY_EXC_ERR,
];

/** Memory next to what is registered, in which nothing may change. */
function guards(side: Side): { target: MemoryRegion; unchanged: () => void } {
  const before = newMemory(side.context, 4096);
  const target = side.registerNew(4096, ACCESS_ALL);
  const after = newMemory(side.context, 4096);
  const views = [before, after].map((memory) => (memory instanceof Uint8Array ? memory : memory.bytes));
  const taken = views.map((view) => snapshot(view, 'memory that is not registered'));
  return {
    target,
    unchanged: () => {
      for (const one of taken) one.expectUnchanged();
    },
  };
}

async function turnBits(bench: Bench, prng: Prng): Promise<void> {
  const { a, b, tampering } = tamperedPair(bench);
  const [here, there] = [guards(a), guards(b)];
  const { rkey, addr: remoteAddr } = there.target;
  const sgList = [here.target.sge(64, 8)];
  const requests = [
    send(1, sgList),
    write(1, sgList, b, 0, { rkey, remoteAddr }),
    read(1, sgList, b, 0, { rkey, remoteAddr }),
    fetchAndAdd(1, sgList, b, 0, 1n, { rkey, remoteAddr }),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    b.qp.postRecv({ wrId: round, sgList: [there.target.sge(64, 64)] });
    tampering.beforeDoorbell(a.qp, (rings) => {
      const wqe = lastSendWqe(rings);
      for (let bits = 1 + prng.next(BITS_MAX); bits > 0; bits--) {
        rings.i32[wqe + prng.next(WQE_WORDS)] ^= 1 << prng.next(32);
      }
    });
    a.qp.postSend(requests[prng.next(requests.length)]);
    // Behind it comes one that is in order: it ends as the first one lets it.
    a.qp.postSend(write(2, [], b));
    await expectEnd(a);
    here.unchanged();
    there.unchanged();
    for (const side of [a, b]) side.qp.modify({ qpState: QpState.RESET });
    connect(a.qp, b.qp, CONNECTION);
  }
}

/** The spoilt request completes, unless it lost its flag and was done; the one behind it completes in any case. */
async function expectEnd(side: Side): Promise<void> {
  for (;;) {
    const [wc] = await completions(side.sendCq, 1);
    if (wc?.wrId === 2) return;
    expect(wc?.wrId).to.equal(1);
    expect(STATUSES, wcStatusStr(wc?.status ?? -1)).to.include(wc?.status);
  }
}

export const turnedBitsSuite = defineSuite(
  'turned-bits',
  ['rc', 'directAccess', 'rdmaWrite', 'rdmaRead', 'atomics'],
  (suite) => {
    suite.provokes('in WQEs', async (bench) => {
      const { seed } = bench;
      try {
        await turnBits(bench, new Prng(seed));
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
    });
  },
);
