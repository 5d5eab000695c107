/** Messages of several pieces: gathered here, scattered there. */
import { WcOpcode, type MemoryRegion, type Sge } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions } from '../bench/completions.ts';
import { expectBytes, fillPattern } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Ways to cut a message into pieces; 0 is a piece of no bytes. */
const CUTS: readonly (readonly number[])[] = [
  [1],
  [1, 1],
  [1, 4095, 1],
  [0, 5, 0, 6],
  [3, 5, 7, 11, 13],
  [100, 0, 0, 100],
  [4096, 4096],
  [2000, 1, 3000, 17],
];
const PIECES_MAX = 5;
const GAP_BYTES = 3;

function sum(cut: readonly number[]): number {
  return cut.reduce((total, piece) => total + piece, 0);
}

/** Pieces of a region, with gaps between them. */
function piecesOf(mr: MemoryRegion, cut: readonly number[]): Sge[] {
  let offset = GAP_BYTES;
  return cut.map((length) => {
    const piece = mr.sge(offset, length);
    offset += length + GAP_BYTES;
    return piece;
  });
}

/** The bytes of the pieces, one after the other. */
function gather(mr: MemoryRegion, pieces: readonly Sge[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap(({ addr, length }) => [...mr.bytes.subarray(addr - mr.addr).subarray(0, length)]),
  );
}

/** What a region must be after `message` was scattered over the pieces; every other byte is as before. */
function scatter(mr: MemoryRegion, pieces: readonly Sge[], message: Uint8Array): Uint8Array {
  const expected = Uint8Array.from(mr.bytes);
  let done = 0;
  for (const { addr, length } of pieces) {
    expected.set(message.subarray(done, done + length), addr - mr.addr);
    done += Math.min(length, message.length - done);
  }
  return expected;
}

function pair(bench: Bench): { a: Side; b: Side } {
  const { maxSge } = bench.open().queryDevice();
  const pieces = Math.min(maxSge, PIECES_MAX);
  return bench.pair({ cap: { maxSendSge: pieces, maxRecvSge: pieces }, bufferBytes: 32 * 1024 });
}

function cutsFor(side: Side): (readonly number[])[] {
  return CUTS.filter((cut) => cut.length <= side.qp.cap.maxSendSge);
}

export const sgeListsSuite = defineSuite('sge-lists', ['rc'], (suite) => {
  suite.works('a send gathers, a receive scatters', async (bench) => {
    const { a, b } = pair(bench);
    for (const from of cutsFor(a)) {
      for (const to of cutsFor(b).filter((cut) => sum(cut) >= sum(from))) {
        fillPattern(a.bytes, sum(from));
        b.bytes.fill(0xcc);
        const [source, target] = [piecesOf(a.mr, from), piecesOf(b.mr, to)];
        const expected = scatter(b.mr, target, gather(a.mr, source));
        b.qp.postRecv({ wrId: 1, sgList: target });
        a.qp.postSend(send(2, source));
        await expectCompletions(b.recvCq, { wrId: 1, opcode: WcOpcode.RECV, byteLen: sum(from) });
        await expectCompletions(a.sendCq, { wrId: 2, opcode: WcOpcode.SEND });
        expectBytes(b.bytes, expected, `[${from.join()}] to [${to.join()}]`);
      }
    }
  });

  suite.works('a write gathers', ['rdmaWrite'], async (bench) => {
    const { a, b } = pair(bench);
    for (const from of cutsFor(a)) {
      fillPattern(a.bytes, sum(from));
      b.bytes.fill(0xcc);
      const source = piecesOf(a.mr, from);
      const expected = Uint8Array.from(b.bytes);
      expected.set(gather(a.mr, source), 9);
      a.qp.postSend(write(1, source, b, 9));
      await expectCompletions(a.sendCq, { wrId: 1 });
      expectBytes(b.bytes, expected, `[${from.join()}]`);
    }
  });

  suite.works('a read scatters', ['rdmaRead'], async (bench) => {
    const { a, b } = pair(bench);
    for (const to of cutsFor(a)) {
      fillPattern(b.bytes, sum(to));
      a.bytes.fill(0xcc);
      const target = piecesOf(a.mr, to);
      const expected = scatter(a.mr, target, b.bytes.subarray(9, 9 + sum(to)));
      a.qp.postSend(read(1, target, b, 9));
      await expectCompletions(a.sendCq, { wrId: 1 });
      expectBytes(a.bytes, expected, `[${to.join()}]`);
    }
  });

  suite.works('pieces of several regions', async (bench) => {
    const { a, b } = pair(bench);
    const [first, second] = [a.registerNew(100), a.registerNew(100)];
    fillPattern(first.bytes, 1);
    fillPattern(second.bytes, 2);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 100)] });
    a.qp.postSend(send(1, [second.sge(50, 50), first.sge(0, 50)]));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 100 });
    const expected = Uint8Array.of(...second.bytes.subarray(50), ...first.bytes.subarray(0, 50));
    expectBytes(b.bytes.subarray(0, 100), expected, 'message');
  });

  suite.works('a piece of no bytes needs no key', async (bench) => {
    const { a, b } = pair(bench);
    const nothing = { addr: 0, length: 0, lkey: 0xdeadbeef };
    fillPattern(a.bytes, 1);
    b.qp.postRecv({ wrId: 1, sgList: [nothing, b.sge(0, 8)] });
    a.qp.postSend(send(1, [nothing, a.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 8 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(b.bytes.subarray(0, 8), a.bytes.subarray(0, 8), 'message');
  });
});
