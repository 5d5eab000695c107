/** Clients of kernel level: they learn of devices that are there, that come and that go. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Device } from '@openverbs/verbs';
import { expect } from 'chai';

import { ibv_get_device_list } from '../src/gen2/index.ts';
import * as ib from '../src/kernel/index.ts';
import { openVerbs } from '../src/index.ts';
import { sharedOpenVerbs } from '../src/shared-instance.ts';
import { closeSharedOpenVerbs, failDevice, removeDevice } from '../src/testing/index.ts';
import { failure } from './failure.ts';
import { uncaughtWhile } from './uncaught.ts';

describe('clients of kernel level', () => {
  let calls: string[];
  let registered: ib.IbClient[];

  beforeEach(() => {
    process.env['OPENVERBS_EMULATED_DEVICES'] = '2';
    calls = [];
    registered = [];
  });
  afterEach(() => {
    delete process.env['OPENVERBS_EMULATED_DEVICES'];
    for (const client of registered) ib.ib_unregister_client(client);
    closeSharedOpenVerbs();
  });

  function client(name: string, more: Partial<ib.IbClient> = {}): ib.IbClient {
    return {
      name,
      add: (device) => void calls.push(`${name} + ${device.name}`),
      remove: (device) => void calls.push(`${name} - ${device.name}`),
      ...more,
    };
  }

  function register(each: ib.IbClient): ib.IbClient {
    ib.ib_register_client(each);
    registered.push(each);
    return each;
  }

  it('are told of the devices that are there, and that they go when the client does', () => {
    const a = client('a');
    ib.ib_register_client(a);
    expect(calls).to.deep.equal(['a + emulated0', 'a + emulated1']);
    ib.ib_unregister_client(a);
    expect(calls.slice(2)).to.deep.equal(['a - emulated1', 'a - emulated0']);
    expect(failure(() => ib.ib_unregister_client(a))).to.include({ code: 'EINVAL', verb: 'ib_unregister_client' });
  });

  it('are told when the devices go, the youngest client first, and of those that come', () => {
    register(client('a'));
    register(client('b'));
    calls = [];
    closeSharedOpenVerbs();
    expect(calls).to.deep.equal(['b - emulated1', 'b - emulated0', 'a - emulated1', 'a - emulated0']);
    calls = [];
    process.env['OPENVERBS_EMULATED_DEVICES'] = '1';
    ibv_get_device_list();
    expect(calls).to.deep.equal(['a + emulated0', 'b + emulated0']);
  });

  it('may end what they made while a device goes', () => {
    const made: (() => void)[] = [];
    register(
      client('a', {
        add: (device) => {
          const pd = ib.ib_alloc_pd(device);
          made.push(() => ib.ib_dealloc_pd(pd));
        },
        remove: () => {
          made.pop()!();
          calls.push('ended');
        },
      }),
    );
    closeSharedOpenVerbs();
    expect(calls).to.deep.equal(['ended', 'ended']);
  });

  it('keep data with a device, each its own, until it goes', () => {
    const a = register(client('a'));
    const b = register(client('b'));
    const [device] = ibv_get_device_list();
    expect(ib.ib_get_client_data(device, a)).to.equal(null);
    ib.ib_set_client_data(device, a, 'of a');
    ib.ib_set_client_data(device, b, 'of b');
    expect([ib.ib_get_client_data(device, a), ib.ib_get_client_data(device, b)]).to.deep.equal(['of a', 'of b']);
    closeSharedOpenVerbs();
    expect(ib.ib_get_client_data(device, a)).to.equal(null);
    expect(failure(() => ib.ib_set_client_data(device, client('c'), 1)).code).to.equal('EINVAL');
  });

  it('whose add throws are not registered, and lose the devices they had', () => {
    const added: Device[] = [];
    const a = client('a', {
      add: (device) => {
        if (added.push(device) === 2) throw new Error('no more');
      },
    });
    expect(() => ib.ib_register_client(a)).to.throw('no more');
    expect(calls).to.deep.equal(['a - emulated1', 'a - emulated0']);
    expect(failure(() => ib.ib_unregister_client(a)).code).to.equal('EINVAL');
  });

  it('that throw when devices go do not keep them', async () => {
    const thrown = await uncaughtWhile(async () => {
      let fails = true;
      register(
        client('a', {
          remove: ({ name }) => {
            if (fails) throw new Error(`not ${name}`);
          },
        }),
      );
      closeSharedOpenVerbs();
      await nextTurn();
      fails = false;
    });
    expect(thrown).to.deep.equal(['not emulated1']);
  });

  it('are told before this thread pulls a device out, the youngest first, and of no other device', () => {
    register(client('a'));
    register(
      client('b', {
        remove: (device) => {
          calls.push(`b - ${device.name}`);
          if (device.name !== 'emulated1') return;
          calls.push(`removed: ${device.removed}`, `ports: ${ib.ib_query_device(device).physPortCnt}`);
        },
      }),
    );
    const [first, second] = ibv_get_device_list();
    calls = [];
    removeDevice(second);
    expect(calls).to.deep.equal(['b - emulated1', 'removed: false', 'ports: 1', 'a - emulated1']);
    removeDevice(second);
    failDevice(first);
    expect(calls, 'told once, and not of a failure').to.have.length(4);
    expect([first.removed, second.removed]).to.deep.equal([false, true]);
    calls = [];
    const c = client('c');
    ib.ib_register_client(c);
    expect(calls, 'what is gone is not added').to.deep.equal(['c + emulated0']);
    ib.ib_unregister_client(c);
    expect(calls).to.deep.equal(['c + emulated0', 'c - emulated0']);
  });

  it('end what they made before the device that is pulled out goes, handlers and data included', async () => {
    const made = new Map<Device, () => void>();
    const events: number[] = [];
    const a = register(
      client('a', {
        add: (device) => {
          const pd = ib.ib_alloc_pd(device);
          const handler = ib.INIT_IB_EVENT_HANDLER(device, (_, { type }) => void events.push(type));
          ib.ib_register_event_handler(handler);
          made.set(device, () => {
            ib.ib_unregister_event_handler(handler);
            ib.ib_dealloc_pd(pd);
          });
        },
        remove: (device) => {
          calls.push(`data: ${String(ib.ib_get_client_data(device, a))}`);
          made.get(device)!();
        },
      }),
    );
    const [, device] = ibv_get_device_list();
    ib.ib_set_client_data(device, a, 'mine');
    removeDevice(device);
    await nextTurn();
    expect([calls, events]).to.deep.equal([['data: mine'], []]);
    expect(ib.ib_get_client_data(device, a)).to.equal(null);
    expect(failure(() => ib.ib_alloc_pd(device))).to.include({ code: 'EIO', verb: 'ib_alloc_pd' });
  });

  for (const withHandler of [true, false]) {
    it(`are told when others have pulled a device out, ${withHandler ? 'by its event' : 'without a handler'}`, async () => {
      const removed: Device[] = [];
      const gone = new Promise<Device>((resolve) => {
        register(
          client('a', {
            remove: (device) => {
              if (removed.push(device) === 1) resolve(device);
            },
          }),
        );
      });
      const [, device] = ibv_get_device_list();
      const pd = ib.ib_alloc_pd(device);
      const handler = ib.INIT_IB_EVENT_HANDLER(device, () => void calls.push('fatal'));
      if (withHandler) ib.ib_register_event_handler(handler);
      calls = [];
      // Another instance on this machine has other objects for the same devices, as another thread has.
      using other = openVerbs({ machine: sharedOpenVerbs().machine });
      removeDevice(other.devices[1]);
      expect(removed).to.deep.equal([]);
      // The watch does not keep the process alive.
      const alive = setInterval(() => undefined, 1000);
      try {
        expect(await gone).to.equal(device);
      } finally {
        clearInterval(alive);
      }
      expect([removed, calls]).to.deep.equal([[device], withHandler ? ['fatal'] : []]);
      if (withHandler) ib.ib_unregister_event_handler(handler);
      ib.ib_dealloc_pd(pd);
    });
  }

  it('have a name and two functions, and are registered once', () => {
    const a = register(client('a'));
    for (const wrong of [a, { ...a, name: 5 }, { name: 'x' }, { ...a, remove: undefined }]) {
      expect(failure(() => ib.ib_register_client(wrong as never))).to.include({
        code: 'EINVAL',
        verb: 'ib_register_client',
      });
    }
  });
});
