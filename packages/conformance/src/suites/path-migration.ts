/** Alternate paths (IBTA 17.2.8): loaded, armed at both ends, and gone over to. The alternate path goes by the last port. */
import { expect } from 'chai';
import { EventType, Gid, MigState, QpState, WcStatus, type QpAttrInit, type QueuePair } from '@openverbs/verbs';
import { expectAsyncEvent, expectNoAsyncEvent } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions } from '../bench/completions.ts';
import { IMPATIENT, type ConnectionOverrides } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** The last port of a device. */
function lastPort({ context }: QueuePair): number {
  return context.queryDevice().physPortCnt;
}

/** An alternate path from `qp` to `remote`, by the last port of both. */
function alternate(qp: QueuePair, remote: QueuePair): QpAttrInit {
  const altPortNum = lastPort(qp);
  const dgid = remote.context.queryGid(lastPort(remote), 0);
  const altAhAttr = { isGlobal: true, grh: { dgid, sgidIndex: 0, hopLimit: 9 }, dlid: 0, sl: 1, portNum: altPortNum };
  return { altAhAttr, altPortNum, altPkeyIndex: 0, altTimeout: 15 };
}

/** The same to an address that nobody has. */
function nowhere(qp: QueuePair, remote: QueuePair): QpAttrInit {
  const { altAhAttr, ...rest } = alternate(qp, remote);
  return { ...rest, altAhAttr: { ...altAhAttr!, grh: { ...altAhAttr!.grh!, dgid: Gid.parse('2001:db8::1') } } };
}

/** A pair whose alternate paths are armed. */
function armed(bench: Bench, connection: ConnectionOverrides = {}): { a: Side; b: Side } {
  const { a, b } = bench.pair({ connection });
  a.qp.modify({ ...alternate(a.qp, b.qp), pathMigState: MigState.REARM });
  b.qp.modify({ ...alternate(b.qp, a.qp), pathMigState: MigState.REARM });
  expect([stateOf(a.qp), stateOf(b.qp)]).to.deep.equal([MigState.ARMED, MigState.ARMED]);
  return { a, b };
}

function stateOf(qp: QueuePair): MigState {
  return qp.query().attr.pathMigState;
}

async function exchange(a: Side, b: Side): Promise<void> {
  b.qp.postRecv({ wrId: 1 });
  a.qp.postSend(send(2, []));
  await expectCompletions(a.sendCq, { wrId: 2 });
  await expectCompletions(b.recvCq, { wrId: 1 });
}

export const pathMigrationSuite = defineSuite('path-migration', ['rc', 'pathMigration', 'asyncEvents'], (suite) => {
  suite.works('an alternate path is kept, and told by a query', (bench) => {
    const { a, b } = bench.pair();
    const loaded = alternate(a.qp, b.qp);
    a.qp.modify(loaded);
    const { attr } = a.qp.query();
    expect(attr).to.include({ altPortNum: loaded.altPortNum, altPkeyIndex: 0, altTimeout: 15 });
    expect(attr.pathMigState).to.equal(MigState.MIGRATED);
    expect(attr.altAhAttr).to.include({ sl: 1, portNum: loaded.altPortNum, isGlobal: true });
    expect(attr.altAhAttr.grh?.dgid.toString()).to.equal(String(loaded.altAhAttr?.grh?.dgid));
  });

  suite.works('a path is armed once both ends have it', (bench) => {
    const { a, b } = bench.pair();
    a.qp.modify({ ...alternate(a.qp, b.qp), pathMigState: MigState.REARM });
    expect([stateOf(a.qp), stateOf(b.qp)]).to.deep.equal([MigState.REARM, MigState.MIGRATED]);
    b.qp.modify(alternate(b.qp, a.qp));
    b.qp.modify({ pathMigState: MigState.REARM });
    expect([stateOf(a.qp), stateOf(b.qp)]).to.deep.equal([MigState.ARMED, MigState.ARMED]);
    a.qp.modify({ pathMigState: MigState.ARMED });
    expect(stateOf(a.qp)).to.equal(MigState.ARMED);
  });

  suite.works('a path migrates when a program says so, and the other end follows', async (bench) => {
    const { a, b } = armed(bench);
    await exchange(a, b);
    a.qp.modify({ pathMigState: MigState.MIGRATED });
    await expectAsyncEvent(a.context, EventType.PATH_MIG, a.qp);
    const { attr } = a.qp.query();
    expect(attr).to.include({ pathMigState: MigState.MIGRATED, portNum: lastPort(a.qp), timeout: 15, altTimeout: 0 });
    expect(attr.ahAttr).to.include({ sl: 1, portNum: lastPort(a.qp) });
    expect(a.qp.portNum).to.equal(lastPort(a.qp));
    await exchange(a, b);
    // Where both paths are one, a message over the new one looks as one over the old.
    if (lastPort(b.qp) !== 1 || lastPort(a.qp) !== 1) {
      await expectAsyncEvent(b.context, EventType.PATH_MIG, b.qp);
      expect(stateOf(b.qp)).to.equal(MigState.MIGRATED);
    }
    await exchange(b, a);
    expectNoAsyncEvent(a.context);
  });

  suite.works('after a migration another path can be loaded and armed', async (bench) => {
    const { a, b } = armed(bench);
    a.qp.modify({ pathMigState: MigState.MIGRATED });
    b.qp.modify({ pathMigState: MigState.MIGRATED });
    await exchange(a, b);
    a.qp.modify({ ...alternate(a.qp, b.qp), pathMigState: MigState.REARM });
    b.qp.modify({ ...alternate(b.qp, a.qp), pathMigState: MigState.REARM });
    expect([stateOf(a.qp), stateOf(b.qp)]).to.deep.equal([MigState.ARMED, MigState.ARMED]);
    await exchange(b, a);
  });

  suite.works('a path that is only rearmed is given up without an event', (bench) => {
    const { a, b } = bench.pair();
    a.qp.modify({ ...alternate(a.qp, b.qp), pathMigState: MigState.REARM });
    a.qp.modify({ pathMigState: MigState.MIGRATED });
    expect(stateOf(a.qp)).to.equal(MigState.MIGRATED);
    expectNoAsyncEvent(a.context);
    expect(a.qp.query().attr.timeout, 'the primary path').to.not.equal(15);
  });

  suite.provokes('what can’t be armed is refused and changes nothing', (bench) => {
    const { a, b } = bench.pair();
    for (const pathMigState of [MigState.REARM, MigState.ARMED]) {
      expectError('EINVAL', () => a.qp.modify({ pathMigState }));
      expect(stateOf(a.qp)).to.equal(MigState.MIGRATED);
    }
    expectError('EINVAL', () => a.qp.modify({ pathMigState: 3 as MigState }));
    const good = alternate(a.qp, b.qp);
    a.qp.modify(good);
    expectError('EINVAL', () => a.qp.modify({ pathMigState: MigState.ARMED }));
    const { altTimeout: _, ...three } = good;
    for (const wrong of [
      three,
      { ...good, altPortNum: lastPort(a.qp) + 1 },
      { ...good, altTimeout: 32 },
      { ...good, altPkeyIndex: 0xffff },
      { ...good, altAhAttr: { portNum: 1 } },
      { ...good, altAhAttr: { ...good.altAhAttr!, grh: { ...good.altAhAttr!.grh!, sgidIndex: 999 } } },
    ]) {
      expectError('EINVAL', () => a.qp.modify(wrong));
    }
    expect(a.qp.query().attr.altTimeout).to.equal(15);
  });

  suite.provokes('a migration that the other end is not ready to follow is told there', async (bench) => {
    const { a, b } = armed(bench, IMPATIENT);
    a.qp.modify({ ...alternate(a.qp, b.qp), altTimeout: 8 });
    b.qp.modify(nowhere(b.qp, a.qp));
    a.qp.modify({ pathMigState: MigState.MIGRATED });
    await expectAsyncEvent(a.context, EventType.PATH_MIG, a.qp);
    // Where both paths are one, nothing asks the other end to migrate.
    if (lastPort(b.qp) === 1 && lastPort(a.qp) === 1) return await exchange(a, b);
    a.qp.postSend(send(1, []));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
    await expectAsyncEvent(b.context, EventType.PATH_MIG_ERR, b.qp);
    expectNoAsyncEvent(b.context);
    expect([stateOf(b.qp), b.qp.query().attr.qpState]).to.deep.equal([MigState.ARMED, QpState.RTS]);
  });

  suite.provokes('retries that run out when the alternate path leads nowhere: told to the requester', async (bench) => {
    const { a, b } = armed(bench, IMPATIENT);
    a.qp.modify(nowhere(a.qp, b.qp));
    b.qp.modify({ qpState: QpState.RESET });
    a.qp.postSend(send(1, []));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
    await expectAsyncEvent(a.context, EventType.PATH_MIG_ERR, a.qp);
    expectNoAsyncEvent(a.context);
    expect(a.qp.query().attr.qpState).to.equal(QpState.ERR);
  });

  suite.provokes('a reset forgets the alternate path', (bench) => {
    const { a, b } = armed(bench);
    a.qp.modify({ qpState: QpState.RESET });
    const { attr } = a.qp.query();
    expect([attr.pathMigState, attr.altTimeout, attr.altPortNum]).to.deep.equal([MigState.MIGRATED, 0, 0]);
    expect(stateOf(b.qp)).to.equal(MigState.ARMED);
  });
});
