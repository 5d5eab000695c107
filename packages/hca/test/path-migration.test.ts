import { expect } from 'chai';
import { CqeSyndrome } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { setPortDown } from '../src/device-faults.ts';
import { AltPath, MigState, Qpc, QpcState } from '../src/layout.ts';
import { modifyQp } from '../src/modify-qp.ts';
import { Opcode } from '../src/opcode.ts';
import { route } from '../src/resolve-peer.ts';
import { audit } from './support/audit.ts';
import { cutOff } from './support/cut.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const { MIGRATED, REARM, ARMED } = MigState;
const WRITE = { opcode: Opcode.RDMA_WRITE };
const AV = {
  flowLabel: 5,
  hopLimit: 1,
  trafficClass: 2,
  dlid: 0,
  sl: 3,
  srcPathBits: 0,
  staticRate: 4,
  portNum: 2,
};

function load(
  bed: Testbed,
  qp: TestQp,
  state?: number,
  dgid = bed.hca.gid(2, 2),
  { sgidIndex = 2, pkeyIndex = 0 } = {},
): void {
  const av = { ...AV, dgid, sgidIndex };
  const words = new Map(state === undefined ? [] : [[Qpc.PATH_MIG_STATE, state]]);
  const alternate = { av, pkeyIndex, portNum: 2, timeout: 9 };
  bed.engine.command(() => modifyQp(bed.engine, bed.hca, qp.context, { words, alternate }));
}

function setState(bed: Testbed, qp: TestQp, state: number): void {
  bed.modify(qp, undefined, new Map([[Qpc.PATH_MIG_STATE, state]]));
}

function statuses(qp: TestQp): number[] {
  return qp.sendCq.poll().map(({ syndrome }) => syndrome);
}

/** Two QPs by port 1, whose alternate paths by port 2 are armed. */
function armed(bed = new Testbed()): { bed: Testbed; a: TestQp; b: TestQp } {
  const words = new Map([[Qpc.TIMEOUT, 8]]);
  const [a, b] = bed.pair({}, words, words);
  load(bed, a, REARM);
  expect([a.word('PATH_MIG_STATE'), b.word('PATH_MIG_STATE')]).to.deep.equal([REARM, MIGRATED]);
  load(bed, b, REARM);
  expect([a.word('PATH_MIG_STATE'), b.word('PATH_MIG_STATE')]).to.deep.equal([ARMED, ARMED]);
  return { bed, a, b };
}

for (const kind of ['messages', 'packets'] as const) {
  describe(`path migration, ${kind}`, () => {
    const open = (): Testbed => (kind === 'packets' ? Testbed.withPackets() : new Testbed());

    it('is led by one end and followed by the other', () => {
      const { bed, a, b } = armed(open());
      setState(bed, a, MIGRATED);
      expect(bed.events()).to.deep.equal([[AsyncEvent.PATH_MIG, a.number]]);
      expect([a.word('PORT'), a.word('TIMEOUT'), a.word('LOCAL_PORT_ID')]).to.deep.equal([2, 9, 0x20002]);
      a.send(WRITE);
      bed.advance(1e6);
      expect(statuses(a)).to.deep.equal([0]);
      expect(bed.events()).to.deep.equal([[AsyncEvent.PATH_MIG, b.number]]);
      expect([b.word('PATH_MIG_STATE'), b.word('PORT'), b.word('ALT_STATE')]).to.deep.equal([
        MIGRATED,
        2,
        AltPath.NONE,
      ]);
      setPortDown(bed.engine, bed.hca, 1, true);
      b.send(WRITE);
      bed.advance(1e6);
      expect(statuses(b), 'port 1 is of no use').to.deep.equal([0]);
      audit(bed);
    });

    it('happens by itself when the primary path gives no answer, and is transparent', () => {
      const { bed, a, b } = armed(open());
      const [from, to] = [bed.region(64), bed.region(64)];
      from.fill(3);
      b.recv([to.sge(0, 64)]);
      setPortDown(bed.engine, bed.hca, 1, true);
      a.send({ sges: [from.sge(0, 64)] });
      bed.advance(1e9);
      expect(statuses(a)).to.deep.equal([0]);
      expect(b.recvCq.poll()).to.have.length(1);
      expect(to.read(0, 64)).to.deep.equal(from.read(0, 64));
      expect(bed.events().filter(([type]) => type !== AsyncEvent.PORT_ERR)).to.deep.equal([
        [AsyncEvent.PATH_MIG, a.number],
        [AsyncEvent.PATH_MIG, b.number],
      ]);
      setPortDown(bed.engine, bed.hca, 2, true);
      a.send(WRITE);
      bed.advance(10e9);
      expect(statuses(a), 'once').to.deep.equal([CqeSyndrome.RETRY_EXC_ERR]);
    });

    it('has all the retries on the new path, whatever was tried on the old one', () => {
      const { bed, a, b } = armed(open());
      setState(bed, b, MIGRATED);
      a.send(WRITE);
      bed.advance(5e6);
      expect(a.word('RETRIES_LEFT')).to.be.below(a.word('RETRY_CNT'));
      b.send(WRITE);
      bed.advance(1e4);
      expect([a.word('PORT'), a.word('RETRIES_LEFT')]).to.deep.equal([2, a.word('RETRY_CNT')]);
      bed.advance(10e6);
      expect([statuses(a), statuses(b)]).to.deep.equal([[0], [0]]);
    });

    it('to where the other end is not ready to follow is told there, once for each path that is loaded', () => {
      const { bed, a, b } = armed(open());
      load(bed, b, undefined, bed.hca.gid(2, 3));
      setState(bed, a, MIGRATED);
      bed.events();
      a.send(WRITE);
      a.send(WRITE);
      bed.advance(10e9);
      expect(statuses(a)).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR, CqeSyndrome.WR_FLUSH_ERR]);
      expect(bed.events()).to.deep.equal([[AsyncEvent.PATH_MIG_ERR, b.number]]);
      expect([b.state, b.word('PATH_MIG_STATE'), b.word('PORT')]).to.deep.equal([QpcState.RTS, ARMED, 1]);
      load(bed, b, undefined, bed.hca.gid(2, 3));
      expect(b.word('MIG_REFUSED')).to.equal(0);
      audit(bed);
    });

    it('to an end that is not armed is told there, too', () => {
      const { bed, a, b } = armed(open());
      b.setWord('PATH_MIG_STATE', MIGRATED);
      setState(bed, a, MIGRATED);
      bed.events();
      a.send(WRITE);
      bed.advance(10e9);
      expect(statuses(a)).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR]);
      expect(bed.events()).to.deep.equal([[AsyncEvent.PATH_MIG_ERR, b.number]]);
    });

    it('over an alternate path that is of no use is told to who would send over it', () => {
      const { bed, a, b } = armed(open());
      for (const port of [1, 2]) setPortDown(bed.engine, bed.hca, port, true);
      bed.events();
      a.send(WRITE);
      bed.advance(10e9);
      expect(statuses(a)).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR]);
      expect(bed.events()).to.deep.equal([[AsyncEvent.PATH_MIG_ERR, a.number]]);
      expect([a.word('PATH_MIG_STATE'), a.word('PORT'), b.word('PATH_MIG_STATE')]).to.deep.equal([ARMED, 1, ARMED]);
      audit(bed);
    });

    it('leads into the partition of the alternate path, whose P_Key must be that of both', () => {
      for (const [pkeyIndex, isMet] of [
        [2, true],
        [3, true],
        [6, false],
      ] as const) {
        const { bed, a, b } = armed(open());
        load(bed, a, undefined, undefined, { pkeyIndex: 2 });
        load(bed, b, undefined, undefined, { pkeyIndex });
        setState(bed, a, MIGRATED);
        bed.events();
        a.send(WRITE);
        bed.advance(10e9);
        expect(statuses(a)).to.deep.equal([isMet ? 0 : CqeSyndrome.RETRY_EXC_ERR]);
        const type = isMet ? AsyncEvent.PATH_MIG : AsyncEvent.PATH_MIG_ERR;
        expect(bed.events()).to.deep.equal([[type, b.number]]);
      }
    });

    it('has nothing to do with a QP that has no alternate path: strays raise no event', () => {
      const bed = open();
      const [a, b] = bed.pair();
      load(bed, a);
      a.setWord('LOCAL_PORT_ID', 0x20002); // what packets say
      a.setWord('ROUTE_OUT', route(0x20002, a.word('REMOTE_PORT_ID')));
      a.send(WRITE);
      bed.advance(100e9);
      expect(statuses(a)).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR]);
      expect([bed.events(), b.state]).to.deep.equal([[], QpcState.RTS]);
    });
  });
}

describe('path migration', () => {
  it('is asked for by packets: MigReq is 1 as long as the path has migrated', () => {
    const { bed, a } = armed(Testbed.withPackets());
    const { engine, machine } = bed;
    const sent: number[] = [];
    const { send } = engine.faults!;
    engine.faults!.send = function (frame, ...rest) {
      if (machine.u8[frame + 40 + 8] < 0x0c) sent.push((machine.u8[frame + 40 + 8 + 1] >>> 6) & 1);
      send.call(this, frame, ...rest);
    };
    a.send(WRITE);
    bed.advance(1e6);
    setState(bed, a, MIGRATED);
    a.send(WRITE);
    bed.advance(1e6);
    expect(sent).to.deep.equal([0, 1]);
    expect(statuses(a)).to.deep.equal([0, 0]);
  });

  it('refuses what it could not do, and changes nothing', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    for (const state of [REARM, ARMED]) expectDeviceError(() => setState(bed, a, state), 'EINVAL', /no alternate path/);
    load(bed, a);
    expectDeviceError(() => setState(bed, a, ARMED), 'EINVAL', /REARM/);
    expectDeviceError(() => load(bed, a, undefined, bed.hca.gid(1), { sgidIndex: 4 }), 'EINVAL', /GID index 4/);
    expect([a.word('PATH_MIG_STATE'), a.word('ALT_STATE')]).to.deep.equal([MIGRATED, AltPath.LOADED]);
    bed.modify(a, QpcState.RESET);
    expect(a.word('ALT_STATE')).to.equal(AltPath.NONE);
  });

  it('is whole when a thread dies in the middle of it', () => {
    for (let n = 0; ; n++) {
      const { bed, a, b } = armed();
      bed.events();
      const wasCut = cutOff(bed, n, () => {
        setState(bed, a, MIGRATED);
        a.send(WRITE);
      });
      audit(bed);
      for (const qp of [a, b]) {
        const migrated = qp.word('PATH_MIG_STATE') === MIGRATED;
        const path = [qp.word('PORT'), qp.word('TIMEOUT'), qp.word('LOCAL_PORT_ID')];
        expect(path, `cut off at call ${n}`).to.deep.equal(migrated ? [2, 9, 0x20002] : [1, 8, 1]);
      }
      bed.advance(10e9);
      if (a.sent > 0) expect(statuses(a)).to.deep.equal([0]);
      if (!wasCut) return;
    }
  });
});
