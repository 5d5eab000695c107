/** The device domain on the thread of its guests: when it runs, and whom it keeps listening. */
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import type { Domain } from '@openverbs/hypervisor';
import { hostClock } from '@openverbs/machine';
import { TURNS_PER_PAUSE } from '../src/dom0/inline-dom0.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { hookingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';

/** More than it needs to have a pause. */
const PAUSES_MAX = 1000;

describe('a device domain on the thread of its guests', () => {
  let xen: XenMachine;
  /** Called when the back-end looks at xenstore. */
  let onLook = (): void => undefined;

  beforeEach(() => {
    onLook = () => undefined;
    const wrapDom0 = (dom0: Domain): Domain => hookingPart(dom0, 'xenstore', 'checkWatch', () => onLook());
    xen = new XenMachine({ wrapDom0 });
  });
  afterEach(() => {
    xen.close();
  });

  it('does not run within its own run', () => {
    const inner: boolean[] = [];
    onLook = () => {
      onLook = () => undefined;
      xen.toolstack.xenstore.write('/local/domain/0/backend/vib/9', '');
      inner.push(xen.dom0.run());
    };
    xen.dom0.run();
    expect(inner).to.deep.equal([false]);
  });

  it('takes no poller from the machine but its own', () => {
    const { pollers } = xen.machine;
    const other = (): boolean => false;
    const all = pollers.splice(0, pollers.length, other);
    xen.dom0.close();
    expect(pollers).to.deep.equal([other]);
    pollers.splice(0, 1, ...all);
  });

  it('that has ended is polled no more', () => {
    const { pollers } = xen.machine;
    const before = pollers.length;
    xen.dom0.close();
    expect(pollers).to.have.length(before - 1);
  });

  it('that ends tells nobody of the waits that end with it', async () => {
    const rejected: unknown[] = [];
    const onRejected = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', onRejected);
    try {
      await setImmediate();
      xen.dom0.close();
      await setImmediate();
    } finally {
      process.off('unhandledRejection', onRejected);
    }
    expect(rejected).to.deep.equal([]);
  });

  it('runs no more when it is closed while it has work and the program has its turn', async () => {
    let looks = 0;
    onLook = () => {
      xen.toolstack.xenstore.write('/local/domain/0/backend/vib/9', String(looks++));
    };
    xen.toolstack.xenstore.write('/local/domain/0/backend/vib/9', '');
    for (let pause = 0; looks < TURNS_PER_PAUSE && pause < PAUSES_MAX; pause++) await setImmediate();
    expect(looks).to.be.at.least(TURNS_PER_PAUSE);
    xen.dom0.close();
    looks = 0;
    await setImmediate();
    await setImmediate();
    expect(looks).to.equal(0);
  });

  describe('that is held', () => {
    let held: number;

    beforeEach(() => {
      new HonestGuest(xen, xen.deviceOf(xen.addGuest('basic')));
      const [guest] = xen.dom0.backend.guests;
      const [{ lower }] = guest.contexts;
      held = 0;
      const { routing } = lower;
      const [hold, release] = [routing.hold.bind(routing), routing.release.bind(routing)];
      Object.assign(routing, {
        hold: () => {
          held++;
          hold();
        },
        release: () => {
          held--;
          release();
        },
      });
    });

    it('keeps each lower context listening once, however often it looks', () => {
      const release = xen.dom0.hold();
      xen.dom0.run();
      xen.dom0.run();
      expect(held).to.equal(1);
      release();
      expect(held).to.equal(0);
    });

    it('by two keeps them listening until both have let go', () => {
      const releases = [xen.dom0.hold(), xen.dom0.hold()];
      releases[0]();
      expect(held).to.equal(1);
      releases[1]();
      expect(held).to.equal(0);
    });

    it('again keeps them listening again', () => {
      xen.dom0.hold()();
      const release = xen.dom0.hold();
      expect(held).to.equal(1);
      release();
    });

    it('keeps none listening that comes when nobody holds it any more', () => {
      xen.dom0.hold()();
      xen.dom0.run();
      expect(held).to.equal(0);
    });
  });

  describe('sets a timer', () => {
    /** Timers that were set, and were not cancelled. */
    let timersNs: number[];

    beforeEach(() => {
      timersNs = [];
      const setTimer = (atNs: number) => {
        timersNs.push(atNs);
        return () => (timersNs = timersNs.filter((other) => other !== atNs));
      };
      Object.defineProperty(hostClock, 'setTimer', { configurable: true, value: setTimer });
    });
    afterEach(() => {
      delete (hostClock as { setTimer?: unknown }).setTimer;
    });

    it('not while no send waits for its rate', () => {
      const release = xen.dom0.hold();
      xen.dom0.run();
      expect(timersNs).to.deep.equal([]);
      release();
    });

    it('for when the next send may go, one at a time, and none when nobody holds it any more', () => {
      let nextNs = 7e9;
      Object.assign(xen.dom0.backend, { nextNs: () => nextNs });
      const release = xen.dom0.hold();
      expect(timersNs).to.deep.equal([7e9]);
      nextNs = 8e9;
      xen.dom0.run();
      expect(timersNs).to.deep.equal([8e9]);
      release();
      expect(timersNs).to.deep.equal([]);
      xen.dom0.run();
      expect(timersNs).to.deep.equal([]);
    });

    it('none that outlives it', () => {
      Object.assign(xen.dom0.backend, { nextNs: () => 7e9 });
      const release = xen.dom0.hold();
      xen.dom0.close();
      expect(timersNs).to.deep.equal([]);
      release();
    });
  });
});
