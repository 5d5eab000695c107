import { expect } from 'chai';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { PlacementType, SelectivityLevel, SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { SendWqe } from '../src/rings/layout.ts';
import { SendWr, type SendWrInit } from '../src/send-wr.ts';
import { type Connected, openConnected } from './support/connected.ts';
import { errorOf } from './support/fake-provider.ts';

const { ATOMIC_WRITE, FLUSH } = WrOpcode;
const { SIGNALED, INLINE } = SendFlags;
const { GLOBAL, PERSISTENT } = PlacementType;
const { RANGE, MR } = SelectivityLevel;
const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0xf8);

/** The words of the last WQE that mean something. */
function lastWqe({ ops }: Connected, ...words: (keyof typeof SendWqe)[]): number[] {
  const wqe = ops.device.executed.at(-1)!;
  return words.map((word) => wqe[SendWqe[word]] >>> 0);
}

/** Posts a work request in each way. */
function inEachWay({ a }: Connected, init: SendWrInit, extended: () => void, check: () => void): void {
  const posts = [
    () => a.postSend(init),
    () => a.postSend([init]),
    () => a.postSend(new SendWr(init)),
    () => {
      a.wrStart();
      a.wrFlags = SIGNALED;
      extended();
      a.wrComplete();
    },
  ];
  for (const post of posts) {
    post();
    check();
  }
}

describe('an atomic write', () => {
  it('has its 8 bytes in the WQE, whatever the way it is posted', () => {
    const connected = openConnected({ depth: 64 });
    const { a, mr } = connected;
    const remote = { rkey: mr.rkey, remoteAddr: mr.addr };
    inEachWay(
      connected,
      { opcode: ATOMIC_WRITE, sendFlags: SIGNALED, inlineData: BYTES, ...remote },
      () => a.wrAtomicWrite(remote.rkey, remote.remoteAddr, BYTES),
      () => {
        const words = lastWqe(connected, 'OPCODE', 'FLAGS', 'INLINE_LENGTH', 'SGE', 'RKEY');
        expect(words).to.deep.equal([ATOMIC_WRITE, SIGNALED | INLINE, 8, 0x04030201, mr.rkey]);
        expect(connected.ops.device.executed.at(-1)![SendWqe.SGE + 1] >>> 0).to.equal(0xf8070605);
      },
    );
    a.postSend({ opcode: ATOMIC_WRITE, sgList: [mr.sge(8, 8)], ...remote });
    expect(lastWqe(connected, 'OPCODE', 'FLAGS')).to.deep.equal([ATOMIC_WRITE, 1 << 8]);
  });

  it('is refused with what is wrong', () => {
    const { a, mr } = openConnected();
    const refused: [call: () => void, text: string][] = [
      [() => a.postSend({ opcode: ATOMIC_WRITE }), 'one SGE or 8 bytes of inline data, not 0 SGEs'],
      [() => a.postSend({ opcode: ATOMIC_WRITE, sgList: [mr.sge(0, 4), mr.sge(4, 4)] }), 'not 2 SGEs'],
      [() => a.postSend({ opcode: ATOMIC_WRITE, inlineData: new Uint8Array(7) }), 'of 8 bytes, not 7'],
      [() => a.postSend({ opcode: ATOMIC_WRITE, inlineData: new Uint8Array(9) }), 'of 8 bytes, not 9'],
    ];
    for (const [call, text] of refused) expect(errorOf(call).message).to.contain(text);
    const built: [build: () => void, text: string][] = [
      [() => a.wrAtomicWrite(1, 8, new Uint8Array(7)), 'of 8 bytes, not 7'],
      [() => a.wrAtomicWrite(1, 8, 5 as never), 'inlineData is 5, not a Uint8Array'],
      [() => (a.wrAtomicWrite(1, 8, BYTES), a.wrSetSgeList([mr.sge(0, 8), mr.sge(0, 8)])), 'not 2 SGEs'],
      [() => a.wrAtomicWrite(-1n as never, 8, BYTES), 'rkey is -1n'],
    ];
    for (const [build, text] of built) {
      a.wrStart();
      build();
      expect(errorOf(() => a.wrComplete()).message).to.contain(text);
    }
  });
});

describe('a flush', () => {
  it('has length, type and level in the WQE, whatever the way it is posted', () => {
    const connected = openConnected({ depth: 64 });
    const { a, mr } = connected;
    for (const [length, type, level] of [
      [8, GLOBAL, RANGE],
      [0xffffffff, PERSISTENT, RANGE],
      [0, GLOBAL | PERSISTENT, MR],
    ] as const) {
      const flush = { flushLength: length, flushType: type, flushLevel: level };
      inEachWay(
        connected,
        { opcode: FLUSH, sendFlags: SIGNALED, rkey: mr.rkey, remoteAddr: mr.addr, ...flush },
        () => a.wrFlush(mr.rkey, mr.addr, length, type, level),
        () => {
          const words = lastWqe(connected, 'OPCODE', 'FLAGS', 'IMM', 'FLUSH_LENGTH', 'RKEY');
          expect(words).to.deep.equal([FLUSH, SIGNALED, type | (level << 4), length, mr.rkey]);
        },
      );
    }
  });

  it('is refused with what is wrong', () => {
    const { a, mr } = openConnected();
    const flush = { opcode: FLUSH, flushType: GLOBAL };
    const changed = new SendWr(flush);
    changed.flushLength = 0.5;
    const refused: [call: () => void, text: string][] = [
      [() => a.postSend({ opcode: FLUSH }), 'the placement type 0 of a flush is none'],
      [() => a.postSend({ ...flush, flushType: 5 }), 'the placement type 5 of a flush is none'],
      [() => a.postSend({ ...flush, flushLevel: 2 }), 'the selectivity level 2 of a flush is none'],
      [() => a.postSend({ ...flush, flushLength: 2 ** 32 }), 'flushLength is 4294967296'],
      [() => a.postSend({ ...flush, sgList: [mr.sge()] }), 'FLUSH with SGEs'],
      [() => a.postSend({ ...flush, inlineData: BYTES }), 'FLUSH with SGEs or inline data'],
      [() => a.postSend(changed), 'flushLength is 0.5'],
    ];
    for (const [call, text] of refused) expect(errorOf(call).message).to.contain(text);
    const built: [build: () => void, text: string][] = [
      [() => a.wrFlush(1, 8, 8, 0, RANGE), 'the placement type 0'],
      [() => a.wrFlush(1, 8, 8, GLOBAL, 2), 'the selectivity level 2'],
      [() => a.wrFlush(1, 8, -1, GLOBAL, RANGE), 'length is -1'],
      [() => (a.wrFlush(1, 8, 8, GLOBAL, RANGE), a.wrSetSge(1, 2, 3)), 'FLUSH with SGEs'],
      [() => (a.wrFlush(1, 8, 8, GLOBAL, RANGE), a.wrSetInlineData(BYTES)), 'FLUSH with SGEs or inline data'],
    ];
    for (const [build, text] of built) {
      a.wrStart();
      build();
      expect(errorOf(() => a.wrComplete()).message).to.contain(text);
    }
  });

  it('needs memory that the device can flush', () => {
    const { pd, context } = openConnected();
    const buffer = context.allocBuf(4096);
    for (const access of [AccessFlags.FLUSH_GLOBAL, AccessFlags.FLUSH_PERSISTENT]) {
      const error = errorOf(() => pd.regMr(buffer, access));
      expect(error).to.include({ code: 'EOPNOTSUPP' });
      expect(error.hint).to.contain('leave the flag out');
    }
  });
});
