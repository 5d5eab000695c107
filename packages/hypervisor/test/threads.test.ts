import { expect } from 'chai';
import { findTables } from '../src/emulated/tables.ts';
import { HvHeader } from '../src/emulated/layout.ts';
import { audit, expectUsable } from './support/audit.ts';
import { soon, testbed } from './support/testbed.ts';
import { Report, startThread, stopThreads } from './support/threads.ts';
import type { Thread } from './support/threads.ts';

const WAIT_MS_MAX = 30000;

describe('domains in threads', () => {
  afterEach(stopThreads);

  it('connect by xenstore and answer each other over a ring while the main thread is blocked', async function () {
    this.timeout(60000);
    const { machine, hypervisor, guest } = testbed();
    const { domid } = guest;
    guest.close();
    const rounds = 3000;
    const threads = [
      startThread(hypervisor, 'back-end', domid, rounds),
      startThread(hypervisor, 'front-end', domid, rounds),
    ];
    // From here until both are done this thread turns no event loop.
    for (const { report } of threads) {
      expect(Atomics.wait(machine.i32, report + Report.DONE, 0, WAIT_MS_MAX)).to.not.equal('timed-out');
    }
    await stopThreads();
    expect(threads.flatMap(({ errors }) => errors)).to.deep.equal([]);
    expect(threads.map(({ report }) => machine.i32[report + Report.DONE])).to.deep.equal([rounds, rounds]);
    hypervisor.reap(); // a thread that has reported was closing its domain, and may have been stopped in the middle of it
    audit(machine);
  });

  it('that are terminated at any point leave the hypervisor usable', async function () {
    this.timeout(60000);
    const { machine, hypervisor, dom0 } = testbed({ grantsMax: 64, mappingsMax: 64, portsMax: 32, pinnedRunsMax: 16 });
    for (let life = 0; life < 8; life++) {
      const domid = hypervisor.createDomain({ name: `storm${life}`, memoryBytes: 2 ** 20 });
      const thread = startThread(hypervisor, 'storm', domid);
      await roundsOf(thread, machine.i32, 1 + life * 3);
      await thread.worker.terminate();
      expect(thread.errors).to.deep.equal([]);
      hypervisor.reap();
      expect(hypervisor.domains().map((domain) => domain.domid)).to.not.include(domid);
      audit(machine);
      expect(dom0.xenstore.tryRead(`/local/domain/${domid}/domid`)).to.equal(undefined);
      expectUsable(hypervisor);
      machine.threads.reap(() => {});
    }
    const deaths = machine.i32[findTables(machine).header + HvHeader.THREAD_DEATHS];
    expect(deaths).to.equal(8);
  });

  it('that die are noticed by a domain that waits', async function () {
    this.timeout(60000);
    const { machine, hypervisor, dom0, guest } = testbed();
    const { domid } = guest;
    guest.close();
    const thread = startThread(hypervisor, 'idle', domid);
    await roundsOf(thread, machine.i32, 1);
    dom0.xenstore.watch('@releaseDomain', 'gone');
    dom0.xenstore.checkWatch();
    await thread.worker.terminate();
    expect(dom0.xenstore.readWatch(soon())).to.deep.equal({ path: '@releaseDomain', token: 'gone' });
    expect(hypervisor.domains().map((domain) => domain.domid)).to.not.include(domid);
  });

  it('whose slot another thread has now are not taken for that one', async function () {
    this.timeout(60000);
    const { machine, hypervisor } = testbed();
    const idle = async (): Promise<{ domid: number; thread: Thread }> => {
      const domid = hypervisor.createDomain({ name: 'idle', memoryBytes: 2 ** 16 });
      const thread = startThread(hypervisor, 'idle', domid);
      await roundsOf(thread, machine.i32, 1);
      return { domid, thread };
    };
    const first = await idle();
    await first.thread.worker.terminate();
    // As a device does that cleans up behind its own, and the slot is free.
    machine.threads.reap(() => {});
    const second = await idle();
    const domids = hypervisor.domains().map(({ domid }) => domid);
    expect(domids).to.include(second.domid).and.not.include(first.domid);
    expect(hypervisor.reap()).to.equal(0);
    audit(machine);
  });

  it('that die before anybody has opened a domain of theirs take it with them', async function () {
    this.timeout(60000);
    const { machine, hypervisor } = testbed();
    const names = (): string[] => hypervisor.domains().map(({ name }) => name);
    const before = names();
    const thread = startThread(hypervisor, 'toolstack', 0);
    await roundsOf(thread, machine.i32, 1);
    expect(names()).to.deep.equal([...before, 'unopened']);
    await thread.worker.terminate();
    hypervisor.reap();
    expect(names()).to.deep.equal(before);
    audit(machine);
    expectUsable(hypervisor);
  });

  it('of dom0 take their own handles with them, and no domain', async function () {
    this.timeout(60000);
    const { machine, hypervisor, dom0, guest } = testbed();
    const thread = startThread(hypervisor, 'idle', 0);
    await roundsOf(thread, machine.i32, 1);
    await thread.worker.terminate();
    expect(hypervisor.reap()).to.equal(1);
    expect(hypervisor.reap()).to.equal(0);
    expect([dom0.alive, guest.alive]).to.deep.equal([true, true]);
    audit(machine);
    expectUsable(hypervisor);
  });
});

/** Waits until a thread has done so many rounds. */
async function roundsOf({ report, errors }: Thread, i32: Int32Array, rounds: number): Promise<void> {
  const startMs = performance.now();
  while (Atomics.load(i32, report + Report.ROUNDS) < rounds) {
    expect(errors).to.deep.equal([]);
    if (performance.now() - startMs > WAIT_MS_MAX) throw new Error('the thread does nothing');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
