import { CqePollers, type CqePoller } from '@openverbs/cqe-poller';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { RegistrationCache, type RegistrationCacheOps } from '@openverbs/registration-cache';
import { VerbsError, WorkCompletion } from '@openverbs/verbs';
import type { EventDispatcherOps, EventSource, ProviderClock, ProviderPrng } from '@openverbs/verbs/driver';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';
import { failure } from './failure.ts';
import { fakeProvider } from './fake-provider.ts';

/** Makes the usual pollers, and remembers them. */
class CountingPollers extends CqePollers {
  readonly attached: unknown[] = [];
  readonly pollers: CqePoller[] = [];

  override attach(...args: Parameters<CqePollers['attach']>): CqePoller {
    const poller = super.attach(...args);
    this.attached.push([args[1], args[3]?.buffering]);
    this.pollers.push(poller);
    return poller;
  }
}

describe('openVerbs', () => {
  it('lists the devices of all providers, in their order', () => {
    const one = fakeProvider('one', { devices: ['one0', 'one1'] });
    const two = fakeProvider('two');
    using verbs = openVerbs({ providers: [one.definition, two.definition] });
    expect(verbs.devices.map(({ name, provider }) => `${provider}/${name}`)).to.deep.equal([
      'one/one0',
      'one/one1',
      'two/two0',
    ]);
    expect(verbs.devices).to.be.frozen;
  });

  it('finds a device by its name, or the first', () => {
    const fake = fakeProvider('fake', { devices: ['fake0', 'fake1'] });
    using verbs = openVerbs({ provider: fake.definition });
    expect(verbs.device()).to.equal(verbs.devices[0]);
    expect(verbs.device('fake1')).to.equal(verbs.devices[1]);
    const error = failure(() => verbs.device('fak1'));
    expect(error.code).to.equal('ENODEV');
    expect(error.message).to.contain("there is no device 'fak1'; did you mean 'fake1'?");
    expect(error.hint).to.equal('devices are fake0, fake1');
  });

  it('takes no number for a name', () => {
    using verbs = openVerbs({ provider: fakeProvider('fake').definition });
    for (const name of [0, null, {}]) {
      expect(failure(() => verbs.device(name as never))).to.include({ code: 'EINVAL', verb: 'openVerbs' });
    }
  });

  it('says so when there is no device at all', () => {
    using verbs = openVerbs({ provider: fakeProvider('none', { devices: [] }).definition });
    expect(failure(() => verbs.device()).hint).to.equal('the loaded providers offer none');
  });

  it('gives each provider its own settings', () => {
    const fake = fakeProvider('fake');
    const config = { provider: fake.definition, fake: { speed: 3 } };
    using _verbs = openVerbs(config);
    expect(fake.configs).to.deep.equal([{ speed: 3 }]);
  });

  describe('the machine', () => {
    it('is the one that the provider made, for another thread to join', () => {
      const machine = { kind: 'openverbs-machine' };
      const fake = fakeProvider('fake', { machine });
      using verbs = openVerbs({ provider: fake.definition });
      expect(verbs.machine).to.equal(machine);
      expect(fake.environments[0].machine).to.equal(undefined);
    });

    it('is handed to every provider by the one who joins', () => {
      const machine = { kind: 'openverbs-machine' };
      const [one, two] = [fakeProvider('one', { machine }), fakeProvider('two')];
      using _verbs = openVerbs({ providers: [one.definition, two.definition], machine });
      expect([one, two].map(({ environments }) => environments[0].machine)).to.deep.equal([machine, machine]);
    });

    it('is missed where its key is there: a worker that got no handle would have devices of its own', () => {
      const fake = fakeProvider('fake');
      for (const machine of [undefined, null]) {
        const error = failure(() => openVerbs({ provider: fake.definition, machine }));
        expect(error).to.include({ code: 'EINVAL', verb: 'openVerbs' });
        expect(error.message).to.contain(`machine is ${machine}`);
        expect(error.hint).to.contain('workerData');
      }
      expect(fake.log).to.deep.equal([]);
    });

    it('of the first provider is shared with the next', () => {
      const machine = { kind: 'openverbs-machine' };
      const [none, one, two] = [fakeProvider('none'), fakeProvider('one', { machine }), fakeProvider('two')];
      using verbs = openVerbs({ providers: [none.definition, one.definition, two.definition] });
      const seen = [none, one, two].map(({ environments }) => environments[0].machine);
      expect(seen).to.deep.equal([undefined, undefined, machine]);
      expect(verbs.machine).to.equal(machine);
    });
  });

  describe('parts', () => {
    it('are the usual ones unless replaced, new for each call', () => {
      const seen: EventDispatcherOps[] = [];
      const original = EventDispatcher.prototype.attach;
      EventDispatcher.prototype.attach = function (this: EventDispatcher, source: EventSource) {
        seen.push(this);
        return original.call(this, source);
      };
      try {
        const [one, two] = [fakeProvider('one'), fakeProvider('two')];
        using first = openVerbs({ providers: [one.definition, two.definition] });
        for (const device of first.devices) device.open();
        using second = openVerbs({ provider: one.definition });
        second.device().open();
        const { lower, cqePoller, ...environment } = one.environments[0];
        expect(environment).to.deep.equal({ machine: undefined, clock: undefined, prng: undefined });
        expect(cqePoller).to.be.instanceOf(CqePollers);
        expect(lower?.('emulated').definition.name).to.equal('emulated');
      } finally {
        EventDispatcher.prototype.attach = original;
      }
      expect(seen).to.have.length(3);
      expect(seen[0]).to.equal(seen[1]);
      expect(seen[0]).not.to.equal(seen[2]);
    });

    it('eventDispatcher: routes the events of every context', () => {
      const usual = new EventDispatcher();
      const attached: EventSource[] = [];
      const eventDispatcher: EventDispatcherOps = {
        attach(source) {
          attached.push(source);
          return usual.attach(source);
        },
      };
      using verbs = openVerbs({ provider: fakeProvider('fake').definition, use: { eventDispatcher } });
      verbs.device().open();
      verbs.device().open();
      expect(attached).to.have.length(2);
    });

    it('clock: is handed to the providers', () => {
      const fake = fakeProvider('fake');
      const clock: ProviderClock = { nowNs: () => 7, setTimer: () => () => {} };
      using _verbs = openVerbs({ provider: fake.definition, use: { clock } });
      expect(fake.environments[0].clock).to.equal(clock);
    });

    it('prng: is handed to the providers', () => {
      const fake = fakeProvider('fake');
      const prng: ProviderPrng = { nextUint32: () => 4 };
      using _verbs = openVerbs({ provider: fake.definition, use: { prng } });
      expect(fake.environments[0].prng).to.equal(prng);
    });

    it('registrationCache: is attached to every device, whatever the setting', () => {
      const attached: string[] = [];
      const registrationCache: RegistrationCacheOps = {
        statistics: new RegistrationCache().statistics,
        attach(device) {
          attached.push(device.name);
          return device;
        },
      };
      const { definition } = fakeProvider('fake', { devices: ['fake0', 'fake1'] });
      using verbs = openVerbs({ provider: definition, registrationCache: true, use: { registrationCache } });
      expect(verbs.registrationCache).to.equal(registrationCache);
      expect(attached).to.deep.equal(['fake0', 'fake1']);
    });

    it('cqePoller: is handed to the providers, and polls for the guests of xen:basic', () => {
      const fake = fakeProvider('fake');
      const cqePoller = new CountingPollers();
      using _verbs = openVerbs({ provider: fake.definition, use: { cqePoller } });
      expect(fake.environments[0].cqePoller).to.equal(cqePoller);
      using xen = openVerbs({ provider: 'xen:basic', xen: { cqeBuffering: false }, use: { cqePoller } });
      using context = xen.device().open();
      const cq = context.createCq({ cqe: 5 });
      expect(cqePoller.attached).to.deep.equal([[cq.cqe, false]]);
      expect(cq.poll(WorkCompletion.array(1))).to.equal(0);
      expect(cqePoller.pollers[0].statistics).to.include({ polls: 1, emptyTrips: 1 });
    });

    it('cqePoller: one for each openVerbs(), unless the program brings it', () => {
      const fake = fakeProvider('fake');
      for (let n = 0; n < 2; n++) openVerbs({ provider: fake.definition }).close();
      const [first, second] = fake.environments.map(({ cqePoller }) => cqePoller);
      expect(first).to.be.instanceOf(CqePollers).and.not.to.equal(second);
    });

    it('undefined means the usual one', () => {
      const fake = fakeProvider('fake');
      const use = { clock: undefined } as object;
      using _verbs = openVerbs({ provider: fake.definition, use });
      expect(fake.environments[0].clock).to.equal(undefined);
    });
  });

  describe('closing', () => {
    it('is strict while contexts are open, and names them', () => {
      const fake = fakeProvider('fake', { devices: ['fake0', 'fake1'] });
      using verbs = openVerbs({ provider: fake.definition });
      const first = verbs.devices[0].open();
      const second = verbs.devices[1].open();
      const error = failure(() => verbs.close());
      expect(error.code).to.equal('EBUSY');
      expect(error.details?.['children']).to.deep.equal(['context of fake0', 'context of fake1']);
      first.close();
      expect(failure(() => verbs.close()).message).to.contain('a context is open: context of fake1');
      second.close();
      verbs.close();
      expect(fake.log.at(-1)).to.equal('close fake');
    });

    it('a second time does nothing, in either way', () => {
      const fake = fakeProvider('fake');
      const verbs = openVerbs({ provider: fake.definition });
      verbs.close();
      verbs.close();
      verbs[Symbol.dispose]();
      expect(fake.log).to.deep.equal(['open fake', 'close fake']);
    });

    it('by disposal ends contexts and what they hold first, and providers in reverse', () => {
      const log: string[] = [];
      const [one, two] = [fakeProvider('one', { log }), fakeProvider('two', { log })];
      {
        using verbs = openVerbs({ providers: [one.definition, two.definition] });
        verbs.devices[0].open().allocPd();
        verbs.devices[1].open();
        log.length = 0;
      }
      expect(log).to.deep.equal([
        'close context of two0',
        'dealloc PD 1 of one0',
        'close context of one0',
        'close two',
        'close one',
      ]);
    });

    it('closes all providers even if one fails, and tells the failure', () => {
      const log: string[] = [];
      const [one, two] = [fakeProvider('one', { log }), fakeProvider('two', { log, closeFails: new Error('stuck') })];
      const verbs = openVerbs({ providers: [one.definition, two.definition] });
      expect(() => verbs.close()).to.throw('stuck');
      expect(log.slice(-2)).to.deep.equal(['close two', 'close one']);
    });

    it('leaves devices that can not be opened any more', () => {
      const fake = fakeProvider('fake');
      const verbs = openVerbs({ provider: fake.definition });
      verbs.close();
      expect(failure(() => verbs.device().open()).code).to.equal('ENODEV');
      expect(verbs.contexts).to.deep.equal([]);
    });
  });

  it('closes the providers that were opened when a later one fails', () => {
    const log: string[] = [];
    const openFails = new VerbsError({ code: 'ENOMEM', message: 'no memory' });
    const [one, two] = [fakeProvider('one', { log }), fakeProvider('two', { openFails })];
    const error = failure(() => openVerbs({ providers: [one.definition, two.definition] }));
    expect(error).to.equal(openFails);
    expect(log).to.deep.equal(['open one', 'close one']);
  });
});
