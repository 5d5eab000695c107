/** Memory that is registered by the bus addresses of its pages (ib_reg_phys_mr), and all of it at once (ib_get_dma_mr). */
import { expect } from 'chai';
import { AccessFlags, WcStatus, type MemoryRegion } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const PAGE = 4096;
const PAGES = 5;
const ROOM = PAGES * PAGE;
/** Begins in the middle of its first page, and ends in the middle of its last. */
const FIRST_OFFSET = 1234;
const LENGTH = ROOM - FIRST_OFFSET - 777;

/** Memory whose pages are registered from the last to the first. */
interface Scattered {
  readonly mr: MemoryRegion;
  /** What the keys know, in their order. */
  bytes(): Uint8Array;
}

export const physicalMrSuite = defineSuite('physical-mr', ['rc', 'rdmaWrite', 'dmaBuffers', 'physicalMr'], (suite) => {
  suite.works('tells the bus addresses of memory', (bench) => {
    const context = bench.open();
    const { bytes } = context.allocBuf(ROOM);
    const { pages, firstOffset, length } = context.mapDma(bytes.subarray(PAGE + 5, 3 * PAGE + 6));
    expect([pages.length, firstOffset, length]).to.deep.equal([3, 5, 2 * PAGE + 1]);
    const all = context.mapDma(bytes);
    expect(all.pages.length, 'pages').to.equal(PAGES);
    for (let n = 0; n < PAGES; n++) expect(all.pages[n] % PAGE, `page ${n}`).to.equal(0);
    expect(Array.from(pages), 'pages of a part').to.deep.equal(Array.from(all.pages).slice(1, 4));
  });

  suite.works('is written to and read from page by page, in the order of the list', ['rdmaRead'], async (bench) => {
    const { a, b } = bench.pair();
    const target = scattered(b);
    expect(target.mr.length).to.equal(LENGTH);
    for (const [at, length] of [
      [0, 1],
      [2800, 200],
      [0, 9000],
      [LENGTH - 3, 3],
      [100, 15_000],
    ]) {
      fillPattern(a.bytes, at + 1);
      const remote = { rkey: target.mr.rkey, remoteAddr: target.mr.iova + at };
      a.qp.postSend(write(1, [a.sge(0, length)], b, 0, remote));
      await expectCompletions(a.sendCq, { wrId: 1 });
      expectBytes(target.bytes().subarray(at, at + length), pattern(at + 1, length), `${length} bytes at ${at}`);
      a.bytes.fill(0);
      a.qp.postSend(read(2, [a.sge(0, length)], b, 0, remote));
      await expectCompletions(a.sendCq, { wrId: 2 });
      expectBytes(a.bytes.subarray(0, length), pattern(at + 1, length), `${length} bytes read at ${at}`);
    }
  });

  suite.works('is sent from and received into', async (bench) => {
    const { a, b } = bench.pair();
    const [from, to] = [scattered(a), scattered(b)];
    const all = a.pd.regPhysMr(a.context.mapDma(a.bytes).pages, { access: 0 });
    expect(all.length).to.be.at.least(a.bytes.length);
    a.qp.postSend(write(0, [a.sge(0, 0)], b));
    await expectCompletions(a.sendCq, { wrId: 0 });
    b.qp.postRecv({ wrId: 9, sgList: [to.mr.sge(3, 12_000)] });
    a.qp.postSend(send(1, [from.mr.sge(50, 12_000)]));
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectCompletions(b.recvCq, { wrId: 9, byteLen: 12_000 });
    expectBytes(to.bytes().subarray(3, 12_003), from.bytes().subarray(50, 12_050), 'message');
  });

  suite.works('is known by the address of choice', async (bench) => {
    const { a, b } = bench.pair();
    for (const iova of [FIRST_OFFSET, 2 ** 31 - PAGE + FIRST_OFFSET, 2 ** 44 + FIRST_OFFSET]) {
      const target = scattered(b, { iova });
      expect(target.mr.iova).to.equal(iova);
      fillPattern(a.bytes, 5);
      const remote = { rkey: target.mr.rkey, remoteAddr: iova + 4000 };
      a.qp.postSend(write(1, [a.sge(0, 5000)], b, 0, remote));
      await expectCompletions(a.sendCq, { wrId: 1 });
      expectBytes(target.bytes().subarray(4000, 9000), pattern(5, 5000), 'written');
    }
  });

  suite.works('counts from 0', ['zeroBased'], async (bench) => {
    const { a, b } = bench.pair();
    const target = scattered(b, { access: ACCESS_ALL | AccessFlags.ZERO_BASED });
    fillPattern(a.bytes, 6);
    a.qp.postSend(write(1, [a.sge(0, 64)], b, 0, { rkey: target.mr.rkey, remoteAddr: 7 }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(target.bytes().subarray(7, 71), pattern(6, 64), 'written');
  });

  suite.works('all memory has a key by bus addresses, here and for peers', ['rdmaRead'], async (bench) => {
    const { a, b } = bench.pair();
    const [near, far] = [a.pd.getDmaMr(ACCESS_ALL), b.pd.getDmaMr(ACCESS_ALL)];
    expect(near.bytes.byteLength, 'bytes').to.equal(0);
    fillPattern(a.bytes, 7);
    const [from, to] = [busAddress(a), busAddress(b)];
    a.qp.postSend(write(1, [near.sge(from + 8, 300)], b, 0, { rkey: far.rkey, remoteAddr: to + 16 }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(b.bytes.subarray(16, 316), a.bytes.subarray(8, 308), 'written');
    far.dereg();
    a.qp.postSend(write(2, [near.sge(from, 8)], b, 0, { rkey: far.rkey, remoteAddr: to }));
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.REM_ACCESS_ERR });
  });

  suite.works('changes its pages, its domain and its access', async (bench) => {
    const { a, b } = bench.pair();
    const target = scattered(b);
    const { mr } = target;
    const buffer = b.context.allocBuf(2 * PAGE);
    mr.reregPhys({ pages: b.context.mapDma(buffer).pages });
    expect([mr.length, mr.iova]).to.deep.equal([2 * PAGE, b.context.mapDma(buffer).pages[0]]);
    fillPattern(a.bytes, 8);
    a.qp.postSend(write(1, [a.sge(0, 100)], b, 0, { rkey: mr.rkey, remoteAddr: mr.iova + 4090 }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(buffer.bytes.subarray(4090, 4190), pattern(8, 100), 'in other pages');
    const iova = 2 ** 40;
    mr.reregPhys({ iova });
    a.qp.postSend(write(2, [a.sge(0, 50)], b, 0, { rkey: mr.rkey, remoteAddr: iova }));
    await expectCompletions(a.sendCq, { wrId: 2 });
    expectBytes(buffer.bytes.subarray(0, 50), pattern(8, 50), 'at another address');
    const other = b.context.allocPd();
    mr.reregPhys({ pd: other, access: AccessFlags.LOCAL_WRITE });
    expect([mr.pd, mr.access, mr.iova]).to.deep.equal([other, AccessFlags.LOCAL_WRITE, iova]);
    a.qp.postSend(write(3, [a.sge(0, 8)], b, 0, { rkey: mr.rkey, remoteAddr: iova }));
    await expectCompletions(a.sendCq, { wrId: 3, status: WcStatus.REM_ACCESS_ERR });
  });

  suite.provokes('what are no pages, and places that are none in them, are refused', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const { pages } = context.mapDma(context.allocBuf(ROOM));
    const list = Array.from(pages);
    const access = ACCESS_ALL;
    const refusals: readonly (() => unknown)[] = [
      () => pd.regPhysMr([], { access }),
      () => pd.regPhysMr(undefined as unknown as number[], { access }),
      () => pd.regPhysMr([list[0] + 8], { access }),
      () => pd.regPhysMr([list[0], list[1] + 1], { access }),
      () => pd.regPhysMr([list[0], -PAGE], { access }),
      () => pd.regPhysMr([list[0], Number.NaN], { access }),
      () => pd.regPhysMr([2 ** 52], { access }),
      () => pd.regPhysMr([0], { access }),
      () => pd.regPhysMr(list, { access, firstOffset: PAGE }),
      () => pd.regPhysMr(list, { access, firstOffset: -1 }),
      () => pd.regPhysMr(list, { access, length: ROOM + 1 }),
      () => pd.regPhysMr(list, { access, firstOffset: 1, length: ROOM }),
      () => pd.regPhysMr(list, { access, length: 0 }),
      () => pd.regPhysMr(list, { access, length: PAGE }),
      () => pd.regPhysMr(list, { access, iova: 1 }),
      () => pd.regPhysMr(list, { access, iova: -PAGE }),
      () => pd.regPhysMr(list, { access, iova: 2 ** 53 }),
      () => pd.regPhysMr(list, { access: AccessFlags.REMOTE_WRITE }),
      () => pd.regPhysMr(list, { access: 2 ** 31 }),
      () => pd.getDmaMr(AccessFlags.REMOTE_WRITE),
    ];
    for (const refused of refusals) expectError('EINVAL', refused);
    pd.dealloc(); // nothing was registered
    expectError('EINVAL', () => pd.regPhysMr(list, { access }));
    expectError('EINVAL', () => pd.getDmaMr(access));
  });

  suite.provokes('a change that is refused leaves it as it was', (bench) => {
    const side = bench.side();
    const { mr } = scattered(side);
    const before = [mr.lkey, mr.rkey, mr.length, mr.iova, mr.access, mr.pd];
    const other = bench.open().allocPd();
    const refusals: readonly (() => void)[] = [
      () => {
        mr.reregPhys({});
      },
      () => {
        mr.reregPhys({ pages: [8] });
      },
      () => {
        mr.reregPhys({ iova: 1 });
      },
      () => {
        mr.reregPhys({ pd: other });
      },
      () => {
        mr.reregPhys({ access: AccessFlags.REMOTE_WRITE });
      },
      () => {
        mr.rereg({ access: 0 });
      },
      () => {
        side.mr.reregPhys({ access: 0 });
      },
    ];
    for (const refused of refusals) expectError(['EINVAL', 'EOPNOTSUPP'], refused);
    expect([mr.lkey, mr.rkey, mr.length, mr.iova, mr.access, mr.pd]).to.deep.equal(before);
    expectError('EBUSY', () => {
      side.pd.dealloc();
    });
    mr.dereg();
    expectError('EINVAL', () => {
      mr.dereg();
    });
  });

  suite.provokes('keys give what they were made for, to their domain, and nothing once it is gone', async (bench) => {
    const cases: readonly [title: string, key: (b: Side) => { rkey: number; remoteAddr: number }][] = [
      [
        'beyond the end',
        (b) => {
          const { mr } = scattered(b);
          return { rkey: mr.rkey, remoteAddr: mr.iova + LENGTH - 7 };
        },
      ],
      [
        'before the beginning',
        (b) => {
          const { mr } = scattered(b);
          return { rkey: mr.rkey, remoteAddr: mr.iova - 1 };
        },
      ],
      [
        'without the right to write',
        (b) => {
          const { mr } = scattered(b, { access: AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_READ });
          return { rkey: mr.rkey, remoteAddr: mr.iova };
        },
      ],
      [
        'of another domain',
        (b) => {
          const pages = b.context.mapDma(newMemory(b.context, PAGE)).pages;
          const mr = b.context.allocPd().regPhysMr(pages, { access: ACCESS_ALL });
          return { rkey: mr.rkey, remoteAddr: mr.iova };
        },
      ],
      [
        'that is gone',
        (b) => {
          const { mr } = scattered(b);
          mr.dereg();
          return { rkey: mr.rkey, remoteAddr: mr.iova };
        },
      ],
    ];
    for (const [title, keyOf] of cases) {
      const { a, b } = bench.pair();
      a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, keyOf(b)));
      const [{ status }] = await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
      expect(status, title).to.equal(WcStatus.REM_ACCESS_ERR);
    }
  });
});

function scattered(side: Side, options: { readonly iova?: number; readonly access?: number } = {}): Scattered {
  const { context, pd } = side;
  const { bytes } = context.allocBuf(ROOM);
  fillPattern(bytes, 3);
  const pages = Array.from(context.mapDma(bytes).pages).reverse();
  const mr = pd.regPhysMr(pages, { access: ACCESS_ALL, ...options, firstOffset: FIRST_OFFSET, length: LENGTH });
  const inOrder = (): Uint8Array => {
    const all = new Uint8Array(ROOM);
    for (let n = 0; n < PAGES; n++) all.set(bytes.subarray((PAGES - 1 - n) * PAGE, (PAGES - n) * PAGE), n * PAGE);
    return all.subarray(FIRST_OFFSET, FIRST_OFFSET + LENGTH);
  };
  return { mr, bytes: inOrder };
}

/** Where the memory of a side begins on the bus; other pages may lie elsewhere. */
function busAddress({ context, bytes }: Side): number {
  const { pages, firstOffset } = context.mapDma(bytes);
  return pages[0] + firstOffset;
}
