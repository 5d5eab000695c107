/** A read that is asked for again after its key has ended: nothing is wrong with it when its requester has the response already. */
import { expect } from 'chai';
import { CqeSyndrome } from '@openverbs/verbs/rings';
import { Qpc, QpcState } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import type { Region } from '../support/region.ts';
import type { TestQp } from '../support/test-qp.ts';
import { Testbed } from '../support/testbed.ts';

const TIMEOUT = 4;
const TIMEOUT_NS = 4096 * 2 ** TIMEOUT;
/** There and back it takes longer than the requester waits, so that it asks for everything twice. */
const DELAY_US = 50;
const DELAY_NS = DELAY_US * 1000;
const BYTES = 3000;
const { RTS, ERR } = QpcState;

describe('a read that is asked for again', () => {
  let bed: Testbed;
  let a: TestQp;
  let b: TestQp;
  let here: Region;
  let there: Region;

  beforeEach(() => {
    bed = Testbed.withPackets({ delay: DELAY_US });
    [a, b] = bed.pair({}, new Map([[Qpc.TIMEOUT, TIMEOUT]]));
    here = bed.region(BYTES);
    there = bed.region(BYTES);
    there.fill(7);
  });

  function read(): void {
    a.send({ opcode: Opcode.RDMA_READ, sges: [here.sge()], ...there.at() });
  }

  function syndromes(): number[] {
    return a.sendCq.poll().map(({ syndrome }) => syndrome);
  }

  it('too late, and its key has ended meanwhile: the connection goes on', () => {
    read();
    bed.advance(2 * DELAY_NS);
    expect(syndromes()).to.deep.equal([0]);
    expect(Buffer.compare(here.read(), there.read())).to.equal(0);
    bed.commands.destroyMpt(there.key);
    // The second request arrives, which was sent before the response to the first one came.
    bed.advance(TIMEOUT_NS);
    expect([a.state, b.state]).to.deep.equal([RTS, RTS]);
    const other = bed.region(8);
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [here.sge(0, 8)], ...other.at() });
    bed.advance(4 * DELAY_NS);
    expect(syndromes()).to.deep.equal([0]);
    expect([a.state, b.state]).to.deep.equal([RTS, RTS]);
  });

  it('too late, between others that wait for their responses: these get them', () => {
    read();
    bed.advance(2 * DELAY_NS);
    bed.commands.destroyMpt(there.key);
    there = bed.region(BYTES);
    there.fill(9);
    // Arrives behind the second request for the first one.
    read();
    bed.advance(10 * DELAY_NS);
    expect(syndromes()).to.deep.equal([0, 0]);
    expect(Buffer.compare(here.read(), there.read())).to.equal(0);
    expect([a.state, b.state]).to.deep.equal([RTS, RTS]);
  });

  it('since its response was lost, and its key has ended meanwhile: it fails', () => {
    read();
    bed.advance(DELAY_NS / 2);
    bed.engine.faults!.set({ drop: 1 });
    bed.advance(DELAY_NS / 2);
    bed.engine.faults!.set({ drop: 0 });
    bed.commands.destroyMpt(there.key);
    bed.advance(4 * DELAY_NS);
    expect(syndromes()).to.deep.equal([CqeSyndrome.REMOTE_ACCESS_ERR]);
    expect(a.state).to.equal(ERR);
  });
});
