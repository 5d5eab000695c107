/** 10,000 attacks on the back-end, generated from the table of commands, beside an honest guest that must not notice. */
import { expect } from 'chai';
import { Commands } from '../src/protocol/commands.ts';
import type { CommandName } from '../src/protocol/commands.ts';
import { Attacker } from './support/attacks.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { Random } from './support/random.ts';
import { XenMachine } from './support/xen-machine.ts';

const SEED = Number(process.env['OPENVERBS_SEED'] ?? 20061);
/** Attacks of each mode, beside one at each field. */
const ATTACKS = 5000;
const ATTACKS_PER_PULSE = 100;

describe(`hostile front-ends (seed ${SEED})`, () => {
  for (const mode of ['basic', 'bypass'] as const) {
    it(`${mode}: every handler and field, ${ATTACKS} attacks and more`, function () {
      this.timeout(120_000);
      const xen = new XenMachine({ quotas: { contexts: 8, cqs: 64, qps: 64, srqs: 64, mrs: 256 } });
      const warnings: Error[] = [];
      const warn = (warning: Error): void => void warnings.push(warning);
      process.on('warning', warn);
      try {
        const honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest(mode === 'basic' ? 'bypass' : 'basic')));
        honest.pulse();
        xen.destroy(xen.addGuest(mode)); // the tables of its domain stay, for the next one
        const before = xen.counts();
        attack(xen, honest, mode);
        honest.pulse();
        expect(xen.counts()).to.deep.equal(before);
        honest.context[Symbol.dispose]();
        expect(warnings).to.deep.equal([]);
      } finally {
        process.off('warning', warn);
        xen.close();
      }
    });
  }
});

function attack(xen: XenMachine, honest: HonestGuest, mode: 'basic' | 'bypass'): void {
  const random = new Random(SEED + (mode === 'basic' ? 0 : 1));
  const guest = xen.addGuest(mode);
  const front = new HostileFrontend(xen, guest);
  expect(front.connect()).to.equal(true);
  const first = guest.domain.memory.allocPages(64);
  const own = Array.from({ length: 64 }, (_, n) => first + n);
  const foreign = [honest.qps[0].qpNum, honest.cq.handle, honest.mrs[0].handle, honest.mrs[0].lkey, honest.pd.handle];
  const strange = [0, 1, 2 ** 32 - 1, honest.buffers[0].addr / 4096, 100000];
  const attacker = new Attacker(front, random, { foreign, frames: [...own, ...strange], bypass: mode === 'bypass' });
  attacker.attackAll(ATTACKS, (attacks) => {
    if (attacks % ATTACKS_PER_PULSE === 0) honest.pulse();
  });
  for (const name of Object.keys(Commands) as CommandName[]) expect(attacker.done.get(name) ?? 0, name).to.be.above(50);
  const [used] = xen.dom0.backend.guests.filter(({ domid }) => domid === guest.domid);
  xen.destroy(guest);
  for (const [kind, count] of Object.entries(used.quota.used)) expect(count, kind).to.equal(0);
}
