/** Guests that go, at every point: all is taken back, and the device and the other guests go on. */
import { expect } from 'chai';
import type { Domain } from '@openverbs/hypervisor';
import { XenbusState } from '@openverbs/hypervisor';
import { connectPair, QpState, QpType, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { PROTOCOL_VERSION } from '../src/protocol/limits.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { Random } from './support/random.ts';
import { hookingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const { INITIALISING, INITIALISED, CLOSING, CLOSED, CONNECTED, INIT_WAIT } = XenbusState;
const SEED = 4711;
const ROUNDS = 40;
/** What a front-end may write where numbers are to be, and what the toolstack and others would rather not find there. */
const NONSENSE = [
  '',
  'x',
  '-1',
  '0',
  '900',
  '4294967295',
  '4294967296',
  '9999999999',
  '99999999999',
  '1e3',
  '0x10',
  ' 8',
];

describe('the end of guests', () => {
  let xen: XenMachine;
  let honest: HonestGuest;
  let before: Record<string, number>;
  /** Called when the back-end pins pages: in the middle of a command. */
  let onPin = (): void => undefined;

  beforeEach(() => {
    onPin = () => undefined;
    const wrapDom0 = (dom0: Domain): Domain => hookingPart(dom0, 'memory', 'pinPages', () => onPin());
    xen = new XenMachine({ wrapDom0 });
    honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
    xen.destroy(xen.addGuest('basic')); // the tables of its domain stay, for the next one
    before = xen.counts();
  });
  afterEach(() => {
    honest.pulse();
    expect(xen.counts()).to.deep.equal(before);
    honest.context[Symbol.dispose]();
    xen.close();
  });

  const handshake: readonly ((front: HostileFrontend) => void)[] = [
    () => undefined,
    (front) => {
      front.setState(INITIALISING);
    },
    (front) => {
      front.publish();
    },
    (front) => {
      front.write('state', String(INITIALISED));
    },
    (front) => {
      front.setState(INITIALISED);
    },
    (front) => {
      front.setState(CONNECTED);
    },
    (front) => {
      front.put({ number: Commands.OPEN_CONTEXT.number, words: [] });
    },
    (front) => {
      front.write('state', String(CLOSING));
    },
    (front) => {
      front.setState(CLOSING);
    },
    (front) => {
      front.setState(CLOSED);
    },
  ];
  handshake.forEach((_, steps) => {
    it(`behind step ${steps} of the handshake`, () => {
      const guest = xen.addGuest('basic');
      const front = new HostileFrontend(xen, guest);
      for (const step of handshake.slice(0, steps + 1)) step(front);
      xen.destroy(guest);
    });
  });

  function registering(): { guest: GuestParts; steps: (() => void)[] } {
    const guest = xen.addGuest('bypass');
    const front = new HostileFrontend(xen, guest);
    front.connect();
    const { context } = front.call(Commands.OPEN_CONTEXT, {});
    const { pd } = front.call(Commands.ALLOC_PD, { context });
    const frame = guest.domain.memory.allocPages(8);
    let region = 0;
    const chunk = (first: number) => ({ region, pages: [0, 1, 2, 3].map((n) => first + n) });
    const begin = { context, use: RegionUse.MEMORY, mr: 0, flags: 0, pd, access: 1, iova: 0, length: 32768 };
    const { BEGIN_REGION, ADD_PAGES, END_REGION, DEREG_MR } = Commands;
    let mr = 0;
    const steps = [
      () => {
        ({ region } = front.call(BEGIN_REGION, { ...begin, firstOffset: 0, pages: 8 }));
      },
      () => {
        front.call(ADD_PAGES, chunk(frame));
      },
      () => {
        front.call(ADD_PAGES, chunk(frame + 4));
      },
      () => {
        ({ mr } = front.call(END_REGION, { region }));
      },
      () => {
        front.put({ number: DEREG_MR.number, words: requestWords(DEREG_MR, { context, mr }) });
      },
    ];
    return { guest, steps };
  }

  for (let count = 0; count <= 5; count++) {
    it(`behind ${count} steps of a registration in chunks`, () => {
      const { guest, steps } = registering();
      for (const step of steps.slice(0, count)) step();
      xen.destroy(guest);
    });
  }

  for (const chunks of [1, 2]) {
    it(`in the middle of the command with chunk ${chunks}`, () => {
      const { guest, steps } = registering();
      for (const step of steps.slice(0, chunks)) step();
      onPin = () => {
        onPin = () => undefined;
        xen.hypervisor.destroyDomain(guest.domid);
      };
      expect(steps[chunks]).to.throw(); // the guest is no more, and nor is its page with the answer
      xen.settle();
    });
  }

  it('with transfers under way: the peer is told, and may go on', () => {
    const guest = xen.addGuest('bypass');
    const dead = new HonestGuest(xen, xen.deviceOf(guest));
    const init = { qpType: QpType.RC, cap: { maxSendWr: 4, maxRecvWr: 4 } };
    const far = dead.pd.createQp({ ...init, sendCq: dead.cq, recvCq: dead.cq });
    const near = honest.pd.createQp({ ...init, sendCq: honest.cq, recvCq: honest.cq });
    connectPair(near, far, { rts: { timeout: 1, retryCnt: 1, rnrRetry: 1 } });
    const [mr] = dead.mrs;
    far.postRecv({ wrId: 1, sgList: [new Sge(mr.addr, 64, mr.lkey)] });
    dead.qps[0].postSend({ wrId: 2, opcode: WrOpcode.SEND, sgList: [new Sge(mr.addr, 4096, mr.lkey)] });
    xen.destroy(guest);
    const own = honest.mrs[0];
    near.postSend({ wrId: 3, opcode: WrOpcode.SEND, sgList: [new Sge(own.addr, 64, own.lkey)] });
    const wcs = WorkCompletion.array(1);
    for (const until = Date.now() + 30_000; honest.cq.poll(wcs) === 0 && Date.now() < until;) xen.settle();
    expect([wcs[0].wrId, wcs[0].status]).to.deep.equal([3, WcStatus.RETRY_EXC_ERR]);
    expect(near.query().attr.qpState).to.equal(QpState.ERR);
    near.destroy();
  });

  it(`at random points, with all it has (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const guest = xen.addGuest(random.pick(['basic', 'bypass']));
      const program = new HonestGuest(xen, xen.deviceOf(guest));
      const [mr, remote] = program.mrs;
      for (let left = random.below(12); left > 0; left--) {
        const sgList = [new Sge(mr.addr, random.below(65536), mr.lkey)];
        const { addr: remoteAddr, rkey } = remote;
        random.pick([
          () => program.qps[0].postSend({ opcode: WrOpcode.RDMA_WRITE, sgList, remoteAddr, rkey }),
          () => program.qps[0].postSend({ opcode: WrOpcode.SEND, sgList }),
          () => program.qps[1].postRecv({ sgList: [new Sge(remote.addr, 65536, remote.lkey)] }),
          () => program.cq.reqNotify(),
          () => program.pd.allocMw(1),
          () => program.context.createCq({ cqe: 8 }),
          () => program.pd.regMr(program.buffers[0], 1),
        ])();
      }
      xen.destroy(guest);
      honest.pulse();
    }
  });

  it('that close and connect again, and again', () => {
    const guest = xen.addGuest('basic');
    const front = new HostileFrontend(xen, guest);
    for (let round = 0; round < 20; round++) {
      expect(front.connect()).to.equal(true);
      const { context } = front.call(Commands.OPEN_CONTEXT, {});
      front.call(Commands.ALLOC_PD, { context });
      if (round % 2 === 0) {
        front.setState(CLOSING);
        expect(front.state).to.equal(CLOSED);
        front.setState(CLOSED);
      }
    }
    xen.destroy(guest);
  });

  it('keys that are nonsense close the device with a reason, and it may be connected again', () => {
    const guest = xen.addGuest('basic');
    const front = new HostileFrontend(xen, guest);
    const keys = [
      'version',
      'ring-ref',
      'event-channel',
      'event-ring-ref',
      'event-ring-channel',
      'bulk-ref0',
      'bulk-ref15',
    ];
    for (const key of keys) {
      for (const value of NONSENSE) {
        expect(front.connect({ [key]: value }), `${key} = '${value}'`).to.equal(false);
        expect(front.state).to.equal(CLOSED);
        expect(guest.domain.xenstore.read(`/local/domain/0/backend/vib/${guest.domid}/0/error`)).not.to.equal('');
        front.release(); // nothing of it is mapped or bound
      }
    }
    expect(front.connect()).to.equal(true);
    xen.destroy(guest);
  });

  it('of another version are told so, on both sides', () => {
    const guest = xen.addGuest('basic');
    const front = new HostileFrontend(xen, guest);
    const back = `/local/domain/0/backend/vib/${guest.domid}/0`;
    const other = String(PROTOCOL_VERSION + 1);
    expect(front.connect({ version: other })).to.equal(false);
    expect(guest.domain.xenstore.read(`${back}/error`)).to.equal(
      `the front-end speaks version ${other} of the protocol, the back-end version ${PROTOCOL_VERSION}`,
    );
    front.release();
    front.setState(INITIALISING);
    xen.toolstack.xenstore.write(`${back}/version`, other);
    expect(() => xen.deviceOf(guest).open()).to.throw(
      `the back-end speaks version ${other} of the protocol, the front-end version ${PROTOCOL_VERSION}`,
    );
    xen.destroy(guest);
  });

  it(`states that flap (seed ${SEED})`, () => {
    const random = new Random(SEED);
    const guest = xen.addGuest('basic');
    const front = new HostileFrontend(xen, guest);
    front.connect();
    for (let n = 0; n < 1000; n++) {
      front.write('state', random.pick(['', 'x', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-1']));
      if (random.below(2) === 0) xen.settle();
    }
    if (front.state === INIT_WAIT) front.setState(CLOSING);
    expect(front.connect()).to.equal(true);
    xen.destroy(guest);
  });

  it('the toolstack takes the device away while it is in use', () => {
    const guest = xen.addGuest('bypass');
    const front = new HostileFrontend(xen, guest);
    front.connect();
    front.call(Commands.OPEN_CONTEXT, {});
    xen.toolstack.xenstore.rm(`/local/domain/0/backend/vib/${guest.domid}`);
    xen.settle();
    front.release();
    xen.destroy(guest);
  });
});
