/**
 * Registers tests that terminate threads in the middle of anything: the others do not hang, no byte of theirs changes, and what the
 * dead had is there for the living again.
 */
import { Engine, reap } from '@openverbs/hca';
import { Machine, Xoshiro128, hostClock, type MachineHandle } from '@openverbs/machine';
import { expect } from 'chai';
import { openVerbs, type OpenVerbs } from 'openverbs';
import { Echo } from '../two-threads/echo.ts';
import { Traffic } from '../two-threads/traffic.ts';
import { Lane, sacrificeAll } from './lane.ts';

/** A busy machine needs seconds for a victim; one that hangs is seen nevertheless. */
const TIMEOUT_MS = 120_000;
const VICTIMS_A_TEST = 10;
/** As many at a time: one starts while another one dies. */
const LANES = 3;
/** Of fewer victims it may be that none died at a certain moment. */
const MANY_VICTIMS = 500;

/** Counts of the machine after what the dead left was collected, as it is whenever a thread joins. */
function inspect(handle: unknown): { usedBytes: number; takeovers: number } {
  const machine = Machine.attach(handle as MachineHandle);
  try {
    reap(new Engine(machine, 'inline', hostClock));
    return { usedBytes: machine.pages.stats().usedBytes, takeovers: machine.lock.takeovers };
  } finally {
    machine.detach();
  }
}

/** Registers the tests of one placement, with so many victims in all. */
export function describeTerminatedThreads(placement: 'inline' | 'thread', victims: number): void {
  describe(`${victims} terminated threads, placement ${placement}`, function () {
    this.timeout(TIMEOUT_MS);
    const seed = (Math.random() * 2 ** 32) >>> 0;
    const prng = new Xoshiro128(seed);
    let verbs: OpenVerbs;
    let traffic: Traffic;
    let echo: Echo;
    let lanes: Lane[];
    let usedBytesBefore: number;

    before(async () => {
      verbs = openVerbs({ provider: 'emulated', emulated: { devices: 2, placement } });
      traffic = new Traffic(verbs, seed);
      echo = await Echo.start(verbs, 'write', seed);
      lanes = Array.from({ length: LANES }, () => new Lane(verbs.device(), verbs.machine, prng.fork()));
      usedBytesBefore = inspect(verbs.machine).usedBytes;
    });

    after(async () => {
      for (const lane of lanes) lane.close();
      traffic.close();
      await echo.close();
      verbs.close();
    });

    const sacrifice = (count: number): Promise<void> =>
      sacrificeAll(lanes, count, seed, async () => {
        traffic.play();
        await echo.play(1);
      });

    for (let done = 0; done < victims; done += VICTIMS_A_TEST) {
      const count = Math.min(VICTIMS_A_TEST, victims - done);
      it(`up to ${done + count} of them`, async () => {
        await sacrifice(count);
      });
    }

    it('left nothing behind', () => {
      expect(inspect(verbs.machine).usedBytes).to.equal(usedBytesBefore);
    });

    if (victims >= MANY_VICTIMS) {
      it('read from the living and added to their memory, some of them', () => {
        expect(lanes.some(({ additions }) => additions > 0)).to.equal(true);
      });
    }

    // Where a worker executes the device, it is seldom that anybody else has the lock.
    if (placement === 'inline' && victims >= MANY_VICTIMS) {
      it('died holding the lock, some of them', () => {
        expect(inspect(verbs.machine).takeovers).to.be.greaterThan(victims / 100);
      });
    }
  });
}
