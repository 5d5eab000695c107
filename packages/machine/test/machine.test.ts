import { expect } from 'chai';
import { Machine, MEMORY_BYTES_MAX, THREADS_MAX } from '../src/index.ts';
import type { MachineHandle } from '../src/index.ts';
import { expectError } from './support/errors.ts';

const MiB = 1048576;

describe('Machine', () => {
  it('spans 4 GiB unless told otherwise, in views that reach all of it', () => {
    const machine = Machine.create();
    expect(machine.u8.length).to.equal(MEMORY_BYTES_MAX);
    expect(machine.i32.length).to.equal(MEMORY_BYTES_MAX / 4);
    expect(machine.f64.length).to.equal(MEMORY_BYTES_MAX / 8);
    machine.u8[MEMORY_BYTES_MAX - 1] = 7;
    expect(machine.i32[MEMORY_BYTES_MAX / 4 - 1] >>> 24).to.equal(7);
  });

  it('rounds its size up to 64 KiB and refuses sizes out of range', () => {
    expect(Machine.create({ memoryBytes: MiB + 1 }).u8.length).to.equal(MiB + 65536);
    for (const memoryBytes of [0, -1, 65536, MEMORY_BYTES_MAX + 1, NaN]) {
      expectError(() => Machine.create({ memoryBytes }), 'EINVAL', /memoryBytes/);
    }
  });

  it('is shared with whoever attaches by its handle', () => {
    const first = Machine.create({ memoryBytes: MiB, name: 'shared' });
    const second = Machine.attach(structuredClone(first.handle));
    expect([first.threadIndex, second.threadIndex]).to.deep.equal([1, 2]);
    expect(second.handle.name).to.equal('shared');
    const addr = first.pages.alloc(4096, 4096, 1);
    first.u8[addr] = 42;
    expect(second.u8[addr]).to.equal(42);
    expect(second.pages.ownerOf(addr)).to.equal(1);
    second.pages.free(addr);
    expectError(() => first.pages.free(addr), 'EINVAL');
  });

  it('refuses what is no handle of this version', () => {
    const { handle } = Machine.create({ memoryBytes: MiB });
    const attach = (change: object) => () => Machine.attach({ ...handle, ...change });
    expectError(() => Machine.attach(undefined as unknown as MachineHandle), 'EINVAL', /not a machine handle/);
    expectError(attach({ kind: 'other' }), 'EINVAL', /kind is other/);
    expectError(attach({ abi: 99 }), 'EINVAL', /ABI 99.*same version/);
    expectError(attach({ memory: undefined }), 'EINVAL', /shared WebAssembly\.Memory/);
    expectError(attach({ memory: { buffer: new ArrayBuffer(65536) } }), 'EINVAL', /shared WebAssembly\.Memory/);
    expectError(attach({ memory: { buffer: new SharedArrayBuffer(MiB) } }), 'EINVAL', /holds no machine/);
    expectError(attach({ memory: { buffer: new SharedArrayBuffer(16) } }), 'EINVAL', /holds no machine/);
  });

  it('has an identity of its own, which is the same for all threads', () => {
    const [one, two] = [Machine.create({ memoryBytes: MiB }), Machine.create({ memoryBytes: MiB })];
    expect(Machine.attach(structuredClone(one.handle)).id).to.equal(one.id);
    expect(two.id).not.to.equal(one.id);
    one.i32[6] = one.i32[7] = -1;
    expect(one.id).to.equal(2n ** 64n - 1n);
  });

  it('checks the version in memory as well as in the handle', () => {
    const machine = Machine.create({ memoryBytes: MiB });
    machine.i32[1] = 2;
    expectError(() => Machine.attach(machine.handle), 'EINVAL', /the machine has ABI 2/);
  });

  it('keeps 16 root words, addresses above 2 GiB included', () => {
    const machine = Machine.create({ memoryBytes: MiB });
    for (let slot = 0; slot < 16; slot++) {
      expect(machine.root(slot)).to.equal(0);
      machine.setRoot(slot, 0xfffff000 - slot * 4096);
    }
    for (let slot = 0; slot < 16; slot++) expect(machine.root(slot)).to.equal(0xfffff000 - slot * 4096);
    for (const slot of [-1, 16, 0.5, NaN]) expectError(() => machine.root(slot), 'EINVAL', /no root/);
  });

  it('gives the slot back when it detaches, once, and not with the lock held', () => {
    const machine = Machine.create({ memoryBytes: MiB });
    const second = Machine.attach(machine.handle);
    second.lock.acquire();
    expectError(() => {
      second.detach();
    }, 'EBUSY');
    second.lock.release();
    second.detach();
    const third = Machine.attach(machine.handle);
    expect(third.threadIndex).to.equal(2);
    second.detach();
    expect(machine.threads.isAlive(2)).to.equal(true);
  });

  it('has 64 thread slots and says so when they are taken', () => {
    const machine = Machine.create({ memoryBytes: MiB });
    for (let slot = 2; slot <= THREADS_MAX; slot++) {
      expect(Machine.attach(machine.handle).threadIndex).to.equal(slot);
    }
    expectError(() => Machine.attach(machine.handle), 'ENOMEM', /all 64 thread slots/);
  });

  describe('dma', () => {
    it('copies and fills, overlapping ranges and single bytes included', () => {
      const { u8, dma, pages } = Machine.create({ memoryBytes: MiB });
      const addr = pages.alloc(8192, 4096, 1);
      for (let i = 0; i < 16; i++) u8[addr + i] = i + 1;
      dma.copy(addr + 4, addr, 16);
      expect([...u8.subarray(addr, addr + 21)]).to.deep.equal([
        1,
        2,
        3,
        4,
        ...Array.from({ length: 16 }, (_, i) => i + 1),
        0,
      ]);
      dma.fill(addr + 1, 0x1ff, 2);
      expect([...u8.subarray(addr, addr + 4)]).to.deep.equal([1, 255, 255, 4]);
      dma.copy(addr, addr + 8, 0);
      expect(u8[addr]).to.equal(1);
    });

    it('takes addresses above 2 GiB as negative and as unsigned numbers', () => {
      const { u8, dma } = Machine.create();
      const high = 3 * 2 ** 30;
      u8[MiB * 64] = 99;
      dma.copy(high | 0, MiB * 64, 1);
      expect(u8[high]).to.equal(99);
      dma.copy(high + 1, high | 0, 1);
      expect(u8[high + 1]).to.equal(99);
      dma.fill((high + 2) | 0, 5, 3);
      expect([...u8.subarray(high, high + 6)]).to.deep.equal([99, 99, 5, 5, 5, 0]);
    });

    it('stores 8 bytes at once, where they begin at a multiple of 8', () => {
      const { u8, i32, dma } = Machine.create();
      for (const addr of [64, 3 * 2 ** 30, (3 * 2 ** 30) | 0]) {
        dma.store64(addr, 0x04030201, 0x88070605 | 0);
        const at = addr >>> 0;
        expect([...u8.subarray(at - 1, at + 9)]).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 0x88, 0]);
        dma.store64(addr, -1, 0);
        expect([i32[at >>> 2], i32[(at >>> 2) + 1]]).to.deep.equal([-1, 0]);
      }
      expect(() => {
        dma.store64(68, 1, 2);
      }).to.throw(/unaligned/);
      expect(u8[68]).to.equal(0);
    });

    it('moves nothing when a range leaves the memory', () => {
      const { u8, dma } = Machine.create({ memoryBytes: MiB });
      u8[MiB - 1] = 3;
      expect(() => {
        dma.copy(MiB - 8, 0, 9);
      }).to.throw(/out of bounds/);
      expect(() => {
        dma.fill(MiB - 1, 0, 2);
      }).to.throw(/out of bounds/);
      expect(() => {
        dma.copy(0, -8, 4);
      }).to.throw(/out of bounds/);
      expect(() => {
        dma.store64(-8, 1, 1);
      }).to.throw(/out of bounds/);
      expect(u8[MiB - 1]).to.equal(3);
    });
  });
});
