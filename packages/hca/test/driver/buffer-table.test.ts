import { expect } from 'chai';
import { BufferTable, HOST_ADDRESS_BASE } from '../../src/driver/buffer-table.ts';
import { expectDeviceError, Testbed } from '../support/testbed.ts';

const PAGE = 4096;

describe('BufferTable', () => {
  const bed = new Testbed();

  it('gives zeroed memory at its alignment, by an address that is none of the machine', () => {
    const table = new BufferTable(bed.machine);
    for (const alignment of [1, 64, PAGE, 1 << 16]) {
      const { addr, bytes } = table.alloc(5000, alignment);
      expect(bytes).to.have.length(5000);
      expect(bytes.some((byte) => byte !== 0)).to.equal(false);
      expect(bytes.buffer).to.equal(bed.machine.u8.buffer);
      expect(addr).to.equal(HOST_ADDRESS_BASE + bytes.byteOffset);
      expect(addr % Math.max(alignment, PAGE)).to.equal(0);
      expect(addr)
        .to.be.above(2 ** 32)
        .and.below(Number.MAX_SAFE_INTEGER);
    }
    table.freeAll();
  });

  it('knows which runs of bytes are its own', () => {
    const table = new BufferTable(bed.machine);
    const [a, b] = [table.alloc(100, 1), table.alloc(2 * PAGE, 1)];
    for (const { addr, bytes } of [a, b, a]) {
      const at = bytes.byteOffset;
      expect(table.machineAddress(addr, bytes.length)).to.equal(at);
      expect(table.machineAddress(addr + 10, 5)).to.equal(at + 10);
      expect(table.machineAddress(addr + bytes.length, 0)).to.equal(at + bytes.length);
      expect(table.machineAddress(addr + bytes.length - 4, 5)).to.equal(-1);
      expect(table.machineAddress(addr - 1, 1)).to.equal(-1);
    }
    for (const addr of [0, -1, 2 ** 32, HOST_ADDRESS_BASE, Number.MAX_SAFE_INTEGER, NaN, Infinity]) {
      expect(table.machineAddress(addr, 1)).to.equal(-1);
    }
    table.free(a.handle);
    expect(table.machineAddress(a.addr, 1), 'freed').to.equal(-1);
    table.freeAll();
    expect(table.machineAddress(b.addr, 1), 'freed').to.equal(-1);
  });

  it('finds what another context of the thread allocated, and nothing else', () => {
    const [table, other] = [new BufferTable(bed.machine), new BufferTable(bed.machine)];
    const { addr, bytes } = other.alloc(100, 1);
    const view = bytes.subarray(10, 20);
    const request = { buffer: null, offset: 0, view };
    expect(table.locate(request)).to.equal(view.byteOffset);
    expect(table.machineAddress(addr + 10, 10)).to.equal(view.byteOffset);
    const beyond = new Uint8Array(bytes.buffer, view.byteOffset, 100);
    expect(table.locate({ ...request, view: beyond }), 'more than the buffer').to.equal(-1);
    expect(table.locate({ ...request, view: new Uint8Array(8) }), 'memory of JavaScript').to.equal(-1);
    const elsewhere = new Testbed();
    expect(new BufferTable(elsewhere.machine).locate(request), 'another machine').to.equal(-1);
    other.freeAll();
    expect(table.locate(request), 'freed').to.equal(-1);
  });

  it('frees each buffer once', () => {
    const { buffers } = bed.machine.pages.stats();
    const table = new BufferTable(bed.machine);
    const { handle } = table.alloc(1, 1);
    table.alloc(1, 1);
    table.free(handle);
    expectDeviceError(() => table.free(handle), 'EINVAL');
    expectDeviceError(() => table.get(handle), 'EINVAL');
    table.freeAll();
    table.freeAll();
    expect(bed.machine.pages.stats().buffers).to.equal(buffers);
  });

  it('says how much is left when there is not enough', () => {
    const table = new BufferTable(bed.machine);
    expectDeviceError(
      () => table.alloc(2 ** 30, 1),
      'ENOMEM',
      /the largest has \d+, of \d+ that are free.*memoryBytes/,
    );
    expectDeviceError(() => table.alloc(2 ** 32, 1), 'ENOMEM', /at most \d+ bytes/);
  });
});
