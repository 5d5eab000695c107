import { expect } from 'chai';
import { inspect } from 'node:util';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { EventType } from '../src/enums/event-type.ts';
import { VerbsError } from '../src/errors.ts';
import type { VerbsObject } from '../src/lifetime.ts';
import { openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

/** One of everything, and the strict verb of each. */
function makeAll() {
  const connected = openConnected();
  const { context, pd, a, cq, mr, buffer } = connected;
  const channel = context.createCompChannel();
  const ah = pd.createAh({ grh: { dgid: 'fe80::2' } });
  const srq = pd.createSrq({ attr: { maxWr: 8 } });
  const verbs: [VerbsObject, () => void, string][] = [
    [ah, () => ah.destroy(), 'ibv_destroy_ah'],
    [srq, () => srq.destroy(), 'ibv_destroy_srq'],
    [channel, () => channel.destroy(), 'ibv_destroy_comp_channel'],
    [mr, () => mr.dereg(), 'ibv_dereg_mr'],
    [buffer, () => buffer.free(), 'ibv_free_buf'],
    [a, () => a.destroy(), 'ibv_destroy_qp'],
    [connected.b, () => connected.b.destroy(), 'ibv_destroy_qp'],
    [cq, () => cq.destroy(), 'ibv_destroy_cq'],
    [pd, () => pd.dealloc(), 'ibv_dealloc_pd'],
    [context, () => context.close(), 'ibv_close_device'],
  ];
  return { ...connected, channel, ah, srq, verbs };
}

describe('the text of an object', () => {
  it('is what messages call it, and of a device its name', () => {
    const { context, verbs } = makeAll();
    for (const [object] of verbs) expect(String(object)).to.equal(object.label);
    expect(String(context.device)).to.equal(context.device.name);
  });
});

describe('the strict verbs', () => {
  it('end every object once, children before parents', () => {
    const { verbs } = makeAll();
    for (const [object, end, verb] of verbs) {
      expect(object.destroyed).to.equal(false);
      end();
      expect(object.destroyed).to.equal(true);
      const again = errorOf(end);
      expect(again).to.include({ code: 'EINVAL', verb });
      expect(`${again.message} ${again.hint}`)
        .to.contain('already destroyed')
        .and.not.match(/already.*already/);
      expect(again.message).to.contain(object.label);
    }
  });

  it('are refused while children live, and name them', () => {
    const { context, pd, cq, buffer, mr, a, b, ah, srq } = makeAll();
    expect(errorOf(() => pd.dealloc()).details).to.deep.equal({
      children: [a.label, b.label, mr.label, ah.label, srq.label],
    });
    expect(errorOf(() => cq.destroy())).to.include({ code: 'EBUSY', errno: 16 });
    expect(errorOf(() => cq.destroy()).message).to.contain(`${cq.label} is in use by ${a.label}, ${b.label}`);
    expect(errorOf(() => buffer.free()).message).to.contain(`in use by ${mr.label}`);
    expect(errorOf(() => context.close()).code).to.equal('EBUSY');
  });

  it('count an SRQ and a channel as used', () => {
    const { context, pd, cq } = makeAll();
    const channel = context.createCompChannel();
    const other = context.createCq({ cqe: 4, channel });
    const srq = pd.createSrq({ attr: { maxWr: 8 } });
    const qp = pd.createQp({ sendCq: cq, recvCq: other, srq, cap: {}, qpType: 2 });
    expect(errorOf(() => channel.destroy()).message).to.contain(other.label);
    expect(errorOf(() => srq.destroy()).message).to.contain(qp.label);
    expect(errorOf(() => other.destroy()).message).to.contain(qp.label);
  });

  it('name eight children and count the rest', () => {
    const { context } = openFake();
    for (let i = 0; i < 11; i++) context.allocPd();
    expect(errorOf(() => context.close()).message).to.match(/(PD \d+, ){7}PD \d+ and 3 more$/);
  });

  it('leave the object alive when the provider fails', () => {
    const { ops, pd } = makeAll();
    const mr = pd.regMr(pd.context.allocBuf(64), AccessFlags.LOCAL_WRITE);
    ops.failures.set('deregMr', new VerbsError({ code: 'EIO', message: 'the device hangs' }));
    expect(errorOf(() => mr.dereg())).to.include({ code: 'EIO', verb: 'ibv_dereg_mr' });
    expect(mr.destroyed).to.equal(false);
    mr.dereg();
    expect(mr.destroyed).to.equal(true);
  });

  it('are refused while events are not acknowledged', () => {
    const { ops, context, cq } = makeAll();
    ops.raise(EventType.CQ_ERR, cq.handle);
    const event = context.tryGetAsyncEvent()!;
    const channel = context.createCompChannel();
    const own = context.createCq({ cqe: 4, channel });
    ops.raise(-1, own.handle);
    expect(channel.tryGetCqEvent()).to.equal(own);
    expect(errorOf(() => own.destroy())).to.include({ code: 'EBUSY', hint: 'acknowledge them' });
    expect(errorOf(() => own.destroy()).details).to.deep.equal({ unacknowledged: 1 });
    own.ackEvents(1);
    own.destroy();
    context.ackAsyncEvent(event);
  });
});

describe('every verb on an object that has ended', () => {
  it('throws EINVAL', () => {
    const { context, pd, cq, mr, buffer, a, srq, channel } = makeAll();
    context[Symbol.dispose]();
    const calls: (() => unknown)[] = [
      () => context.queryDevice(),
      () => context.queryPort(1),
      () => context.queryGid(1, 0),
      () => context.queryPkey(1, 0),
      () => context.allocPd(),
      () => context.allocBuf(1),
      () => context.createCompChannel(),
      () => context.createCq({ cqe: 1 }),
      () => context.getAsyncEvent(),
      () => context.tryGetAsyncEvent(),
      () => pd.regMr(buffer, 0),
      () => pd.createAh({}),
      () => pd.createSrq({ attr: { maxWr: 1 } }),
      () => pd.createQp({ sendCq: cq, recvCq: cq, cap: {}, qpType: 2 }),
      () => cq.poll([]),
      () => cq.reqNotify(),
      () => cq.ackEvents(0),
      () => cq.resize(8),
      () => channel.getCqEvent(),
      () => channel.tryGetCqEvent(),
      () => srq.postRecv({}),
      () => srq.modify({ srqLimit: 1 }),
      () => srq.query(),
      () => a.modify({ qpState: 6 }),
      () => a.query(),
      () => a.postSend({}),
      () => a.postRecv({}),
      () => a.endpoint(),
      () => a.attachMcast('ff12::1'),
      () => mr.dereg(),
    ];
    for (const call of calls) {
      const error = errorOf(call);
      expect(error.code, call.toString()).to.equal('EINVAL');
      expect(error.message, call.toString()).to.contain('already destroyed');
    }
  });
});

describe('disposal', () => {
  it('ends the children first, the youngest first, and each once', () => {
    const { ops, context, pd, cq, mr, buffer, a, b, ah, srq } = makeAll();
    ops.calls.length = 0;
    context[Symbol.dispose]();
    const at = (call: string): number => ops.calls.indexOf(call);
    for (const [child, parent] of [
      [`deregMr ${mr.handle}`, `freeBuf ${buffer.handle}`],
      [`deregMr ${mr.handle}`, `deallocPd ${pd.handle}`],
      [`destroyQp ${b.handle}`, `destroyQp ${a.handle}`],
      [`destroyQp ${a.handle}`, `destroyCq ${cq.handle}`],
      [`destroyCq ${cq.handle}`, `deallocPd ${pd.handle}`],
      [`destroySrq ${srq.handle}`, `destroyAh ${ah.handle}`],
      [`destroyAh ${ah.handle}`, `deallocPd ${pd.handle}`],
      [`deallocPd ${pd.handle}`, 'close'],
    ]) {
      expect(at(child), child).to.be.greaterThan(-1);
      expect(at(child), `${child} before ${parent}`).to.be.lessThan(at(parent));
    }
    expect(new Set(ops.calls).size).to.equal(ops.calls.length);
  });

  it('does nothing the second time, or after the strict verb', () => {
    const { ops, context } = openFake();
    const pd = context.allocPd();
    pd.dealloc();
    pd[Symbol.dispose]();
    context[Symbol.dispose]();
    context[Symbol.dispose]();
    expect(ops.calls.filter((call) => call.startsWith('deallocPd'))).to.have.length(1);
    expect(ops.calls.filter((call) => call === 'close')).to.have.length(1);
  });

  it('works by using', () => {
    const { ops, context } = openFake();
    {
      using pd = context.allocPd();
      expect(pd.destroyed).to.equal(false);
    }
    expect(ops.calls.at(-1)).to.match(/^deallocPd/);
  });

  it('never throws, ends everything all the same, and warns of what failed', () => {
    const { ops, context } = openFake();
    const pd = context.allocPd();
    const failure = new VerbsError({ code: 'EIO', message: 'the device hangs' });
    ops.failures.set('deallocPd', failure);
    const { emitWarning } = process;
    const warnings: unknown[] = [];
    process.emitWarning = (warning: unknown) => warnings.push(warning);
    expect(() => {
      using _owner = context;
      throw new Error('the error that matters');
    }).to.throw('the error that matters');
    expect(pd.destroyed).to.equal(true);
    expect(ops.calls).to.include('close');
    process.emitWarning = emitWarning;
    expect(String(warnings)).to.equal('VerbsError: ibv_dealloc_pd: the device hangs');
  });

  it('acknowledges events by force', () => {
    const { ops, context, a } = makeAll();
    ops.raise(EventType.COMM_EST, a.handle);
    const event = context.tryGetAsyncEvent()!;
    expect(errorOf(() => a.destroy()).code).to.equal('EBUSY');
    a[Symbol.dispose]();
    expect(a.destroyed).to.equal(true);
    expect(errorOf(() => context.ackAsyncEvent(event)).code).to.equal('EINVAL');
  });
});

describe('printing', () => {
  it('says what an object is', () => {
    const { context, pd, cq, mr, buffer, a, ah, srq, channel, device } = makeAll();
    expect(inspect(device)).to.equal('Device { name: fake0, provider: fake, guid: 0202:c9ff:fe00:0001 }');
    expect(inspect(context)).to.equal('Context { device: fake0 }');
    expect(inspect(pd)).to.equal(`ProtectionDomain { handle: ${pd.handle} }`);
    expect(inspect(cq)).to.equal(`CompletionQueue { handle: ${cq.handle}, cqe: 64 }`);
    expect(inspect(a)).to.equal(`QueuePair { qpNum: ${a.qpNum}, type: RC, state: RTS }`);
    expect(inspect(mr)).to.match(/^MemoryRegion \{ addr: 0x74000.*LOCAL_WRITE \| REMOTE_WRITE/);
    expect(inspect(buffer)).to.match(/^DmaBuffer \{ addr: 0x74.*, length: 4096 \}/);
    expect(inspect(ah)).to.contain('to: fe80:');
    expect(inspect(srq)).to.equal(`SharedReceiveQueue { handle: ${srq.handle} }`);
    expect(inspect(channel)).to.equal('CompletionChannel { cqs: 0 }');
  });
});
