import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { Engine, EngineState } from '@openverbs/hca';
import { hostClock, Machine, VirtualClock, waitUntil, Xoshiro128 } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import type { ProviderInstance, ProviderPrng } from '@openverbs/verbs/driver';
import { provider } from '../src/index.ts';
import { Endpoint } from './support/endpoint.ts';
import type { JoinMessage } from './support/joiner.ts';

const MEMORY_BYTES = 256 * 2 ** 20;
const HERE = { machine: undefined, clock: undefined, prng: undefined };
type Given = { machine: unknown } | { prng: ProviderPrng };
const WAIT_NS = 5e9;

describe('the emulated provider', () => {
  const open: ProviderInstance[] = [];
  const workers: Worker[] = [];

  function openWith(config: object, environment: Partial<typeof HERE> | Given = {}): ProviderInstance {
    const parsed = provider.parseConfig({ memoryBytes: MEMORY_BYTES, ...config });
    const instance = provider.open({ ...HERE, ...environment }, parsed);
    open.push(instance);
    return instance;
  }

  afterEach(async () => {
    for (const instance of open.splice(0).reverse()) instance.close();
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  });

  /** A second pair of eyes on the machine of an instance. */
  function inspect<T>(handle: unknown, look: (machine: Machine, engine: Engine) => T): T {
    const machine = Machine.attach(handle as MachineHandle);
    try {
      return look(machine, new Engine(machine, 'inline'));
    } finally {
      machine.detach();
    }
  }

  it('names itself, and finds that it can be opened', () => {
    expect([provider.name, provider.driverAbi]).to.deep.equal(['emulated', 1]);
    const findings = provider.diagnose?.() ?? [];
    expect(findings.map(({ check, ok, cure }) => [check, ok, cure])).to.deep.equal([['machine memory', true, '']]);
  });

  it('has the devices and ports that were asked for, each with an identity of its own', () => {
    const { devices } = openWith({ devices: [{ name: 'left', ports: 2 }, { ports: 16 }] });
    expect(devices.map(({ name, guid }) => [name, BigInt.asUintN(32, guid)])).to.deep.equal([
      ['left', 0x4f560000n],
      ['emulated1', 0x4f560100n],
    ]);
    for (const { guid } of devices) expect(guid >> 56n).to.equal(2n); // locally administered
    const gids = new Set<string>();
    for (const device of devices) {
      const context = device.open();
      const ports = context.queryDevice().physPortCnt;
      expect(ports).to.equal(device.name === 'left' ? 2 : 16);
      for (let port = 1; port <= ports; port++) gids.add(context.queryGid!(port, 0).gid.toString());
      for (const port of [0, ports + 1]) expect(() => context.queryPort(port)).to.throw(VerbsError, /ports 1 to/);
      context.close();
    }
    expect(gids.size).to.equal(18);
  });

  it('gives two machines other GUIDs and other GIDs, and those who join the same', () => {
    const [one, two] = [openWith({}), openWith({})];
    const joined = openWith({}, { machine: structuredClone(one.machine) });
    const identityOf = ({ devices: [device] }: ProviderInstance): string[] => {
      const context = device.open();
      const { gid } = context.queryGid!(1, 0);
      context.close();
      return [device.guid.toString(16), gid.toString(), device.fabric!];
    };
    const [first, second] = [one, two].map(identityOf);
    for (const [at, part] of first.entries()) expect(part).not.to.equal(second[at]);
    expect(identityOf(joined)).to.deep.equal(first);
  });

  it('takes the GUIDs of the random numbers that it is given, so that a run can be replayed', () => {
    const guids = [1, 1, 2].map((seed) => openWith({}, { prng: new Xoshiro128(seed) }).devices[0].guid);
    expect(guids[1]).to.equal(guids[0]);
    expect(guids[2]).not.to.equal(guids[0]);
  });

  it('has the GUIDs that are configured, and no two alike', () => {
    const { devices } = openWith({ devices: [{ guid: '0200:0000:0000:0100' }, { guid: '0200:ffff:ffff:0000' }] });
    expect(devices.map(({ guid }) => guid)).to.deep.equal([0x0200_0000_0000_0100n, 0x0200_ffff_ffff_0000n]);
    const twins = { devices: [{ guid: '0200:0000:0000:0100' }, { guid: '0200:0000:0000:0100' }] };
    expect(() => openWith(twins)).to.throw(VerbsError, /another port has the GUID/);
  });

  it('refuses more addresses than its link takes, and says how many', () => {
    const addresses = (device: number): { port: number; gid: string }[] =>
      Array.from({ length: 256 - 16 }, (_, n) => ({ port: (n % 16) + 1, gid: `2001:db8::${device + 1}:${n + 1}` }));
    const devices = (count: number): unknown =>
      Array.from({ length: count }, (_, index) => ({ ports: 16, gids: addresses(index) }));
    const memoryBytes = 2 ** 30;
    expect(openWith({ devices: devices(4), memoryBytes }).devices).to.have.lengthOf(4);
    expect(() => openWith({ devices: devices(5), memoryBytes }))
      .to.throw(VerbsError, /1024 addresses.*0 are free.*emulated4 has 256/)
      .with.property('code', 'ENOSPC');
  });

  for (const placement of ['inline', 'thread'] as const) {
    it(`moves messages between two devices and their ports, placement ${placement}`, () => {
      const { devices, machine } = openWith({ devices: [{ ports: 2 }, {}], placement });
      const [a, b, c] = [new Endpoint(devices[0], 2), new Endpoint(devices[1], 1), new Endpoint(devices[0], 1)];
      for (const [from, to] of [
        [a, b],
        [b, a],
        [c, c],
      ] as const) {
        // prettier-ignore
        from.connect(to);
        if (from !== to) to.connect(from);
        for (let n = 0; n < 20; n++) from.writeTo(to, n + 1);
        for (const end of new Set([from, to])) end.reset();
      }
      expect(inspect(machine, (_, engine) => new EngineState(engine).running)).to.equal(placement === 'thread');
      for (const end of [a, b, c]) end.context[Symbol.dispose]();
    });

    it(`leaves nothing when it is closed, placement ${placement}`, async () => {
      const instance = openWith({ placement });
      const { machine } = instance;
      const before = inspect(machine, (memory, engine) => [engine.hcas[0].objects, memory.pages.stats()]);
      const end = new Endpoint(instance.devices[0], 1);
      end.connect(end);
      end.writeTo(end, 7);
      new Endpoint(instance.devices[0], 1);
      open.pop();
      instance.close();
      const memory = Machine.attach(machine as MachineHandle);
      const engine = new Engine(memory, 'inline');
      expect([engine.hcas[0].objects, memory.pages.stats()]).to.deep.equal(before);
      const others = (): number[] =>
        Array.from({ length: 64 }, (_, n) => n + 1).filter((slot) => memory.threads.tid(slot) !== 0);
      // The engine's thread ends by itself, a little later.
      waitUntil(memory, () => others().length === 1, hostClock.nowNs() + WAIT_NS);
      expect(others()).to.deep.equal([memory.threadIndex]);
      memory.detach();
    });
  }

  it('is joined by a worker, which finds the same devices and leaves them as they were', async () => {
    for (const placement of ['inline', 'thread'] as const) {
      const { devices, machine } = openWith({ devices: 2, placement });
      const end = new Endpoint(devices[0], 1);
      const worker = new Worker(new URL('./support/joiner.js', import.meta.url), { workerData: machine });
      workers.push(worker);
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      const message = await new Promise<JoinMessage>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      expect(message.devices).to.deep.equal(['emulated0', 'emulated1']);
      // The worker has connected a queue pair of the second device; it answers each word with its successor.
      end.connectTo(message.remote, message.target);
      worker.postMessage(end.address);
      expect(await new Promise((resolve) => worker.once('message', resolve))).to.equal('connected');
      for (let word = 1; word < 50; word += 2) {
        end.post(word);
        end.awaitWord(word + 1);
      }
      end.post(-1);
      expect(await exited).to.equal(0);
      end.context[Symbol.dispose]();
      inspect(machine, (_, engine) => {
        for (const hca of engine.hcas) for (const count of Object.values(hca.objects)) expect(count).to.equal(0);
      });
    }
  });

  it('is joined after its owner has closed it, whatever the placement was', async () => {
    for (const placement of ['inline', 'thread'] as const) {
      const owner = openWith({ placement });
      const joined = openWith({}, { machine: owner.machine });
      const end = new Endpoint(joined.devices[0], 1);
      end.connect(end);
      open.splice(open.indexOf(owner), 1);
      owner.close();
      for (let n = 1; n < 10; n++) end.writeTo(end, n);
      const late = openWith({}, { machine: owner.machine });
      const other = new Endpoint(late.devices[0], 1);
      other.connect(other);
      other.writeTo(other, 3);
    }
  });

  it('runs under the clock that it is given', () => {
    const clock = new VirtualClock(5e9);
    const { devices } = openWith({}, { clock } as never);
    const end = new Endpoint(devices[0], 1);
    end.connect(end);
    end.postSend();
    expect(end.poll(), 'no receive, and no time passes').to.equal(0);
    end.postRecv();
    expect(end.poll()).to.equal(0);
    clock.advance(10e9);
    expect(end.poll()).to.equal(2);
  });

  it('refuses a clock of the caller in a thread, which could not read it', () => {
    expect(() => openWith({ placement: 'thread' }, { clock: new VirtualClock() } as never)).to.throw(
      VerbsError,
      /clock/,
    );
  });

  it('is not opened with a machine that is none, and says so', () => {
    for (const machine of [null, {}, 'machine', { kind: 'openverbs-machine' }]) {
      let caught: unknown;
      try {
        openWith({}, { machine });
      } catch (error) {
        caught = error;
      }
      expect(VerbsError.is(caught)).to.equal(true);
      expect((caught as VerbsError).code).to.equal('EINVAL');
    }
  });

  it('that finds too little memory for its devices says so', () => {
    let caught: unknown;
    try {
      openWith({ devices: 16, memoryBytes: 134217728 });
    } catch (error) {
      caught = error;
    }
    expect(VerbsError.is(caught)).to.equal(true);
    expect([(caught as VerbsError).code, (caught as VerbsError).hint]).to.deep.equal([
      'ENOMEM',
      'give the machine more memoryBytes',
    ]);
  });
});
