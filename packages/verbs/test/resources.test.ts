import { expect } from 'chai';
import type { SrqCalls } from '../src/driver/data-path.ts';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { VerbsError } from '../src/errors.ts';
import { Sge } from '../src/sge.ts';
import { openConnected } from './support/connected.ts';
import { DEVICE_ATTR, errorOf, openFake, PORT_ATTR } from './support/fake-provider.ts';
import { ADDR_BASE } from './support/fake-memory.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, RELAXED_ORDERING } = AccessFlags;

describe('Context', () => {
  it('tells of the device and its ports', () => {
    const { context, device } = openFake();
    expect(context.device).to.equal(device);
    expect(context.queryDevice()).to.deep.equal(DEVICE_ATTR);
    expect(context.queryPort()).to.deep.equal(PORT_ATTR);
    expect(String(context.queryGid(2, 1))).to.equal('0000:0000:0000:0000:0000:ffff:0a00:0002');
    expect(context.queryGidEntry(1, 0)).to.include({ portNum: 1, gidIndex: 0 });
    expect(context.queryGidTable()).to.have.length(4);
    expect(context.queryPkey(1, 1)).to.equal(0xffff);
    expect(device.supports('rc')).to.equal(true);
    expect(device.supports('xrc')).to.equal(false);
  });

  it('refuses ports and indices that are not there, with the limit', () => {
    const { context } = openFake();
    expect(errorOf(() => context.queryPort(3)).details).to.deep.equal({ what: 'port', value: 3, min: 1, max: 2 });
    expect(errorOf(() => context.queryGid(0, 0)).verb).to.equal('ibv_query_gid');
    expect(errorOf(() => context.queryGid(1, 2)).message).to.contain('0 to 1 (gidTblLen)');
    expect(errorOf(() => context.queryPkey(1, -1)).message).to.contain('0 to 1 (pkeyTblLen)');
    expect(errorOf(() => context.createCq({ cqe: 1025 })).message).to.contain('maxCqe of the device');
    expect(errorOf(() => context.createCq({ cqe: 4, compVector: -1 })).details?.['what']).to.equal('compVector');
    const channel = openFake().context.createCompChannel();
    expect(errorOf(() => context.createCq({ cqe: 4, channel })).message).to.contain('of another context');
  });

  it('is closed again when it cannot be set up', () => {
    const { device, ops } = openFake();
    ops.queryDevice = () => {
      throw new VerbsError({ code: 'EIO', message: 'the device hangs' });
    };
    expect(errorOf(() => device.open()).code).to.equal('EIO');
    expect(ops.calls).to.deep.equal(['close']);
  });

  it('answers EOPNOTSUPP for what the provider leaves out', () => {
    const { context } = openFake({ without: ['allocPd', 'resizeCq'] });
    const error = errorOf(() => context.allocPd());
    expect(error).to.include({ code: 'EOPNOTSUPP', errno: 95, verb: 'ibv_alloc_pd' });
    expect(error.message).to.contain('the provider fake leaves it out');
    expect(error.details).to.deep.equal({ op: 'allocPd', device: 'fake0' });
    expect(errorOf(() => context.createCq({ cqe: 4 }).resize(8)).code).to.equal('EOPNOTSUPP');
  });

  it('answers so before it looks at arguments', () => {
    const { context } = openFake({ without: ['createSrq', 'allocBuf', 'createCq', 'regMr', 'createAh'] });
    const pd = context.allocPd();
    const calls: (() => unknown)[] = [
      () => pd.createSrq({ attr: { maxWr: 1e9 } }),
      () => pd.createAh({ sl: 99 }),
      () => pd.regMr(new Uint8Array(1), 1e9),
      () => context.createCq({ cqe: -1 }),
      () => context.allocBuf(-1),
    ];
    for (const call of calls) expect(errorOf(call).code).to.equal('EOPNOTSUPP');
  });
});

describe('memory', () => {
  it('is allocated zeroed, aligned, above 4 GiB', () => {
    const { context } = openFake();
    const buffer = context.allocBuf(100, { alignment: 8192 });
    expect(buffer.length).to.equal(100);
    expect((buffer.addr - ADDR_BASE) % 8192).to.equal(0);
    expect(context.allocBuf(1).addr % 4096).to.equal(0);
    for (const length of [0, -1, 1.5, NaN]) expect(errorOf(() => context.allocBuf(length)).code).to.equal('EINVAL');
    expect(errorOf(() => context.allocBuf(1, { alignment: 3 })).message).to.contain('not a power of two');
  });

  it('is registered whole, or a view into it', () => {
    const { context, ops } = openFake();
    const pd = context.allocPd();
    const buffer = context.allocBuf(4096);
    const whole = pd.regMr(buffer, LOCAL_WRITE);
    expect(whole).to.include({ addr: buffer.addr, length: 4096, access: LOCAL_WRITE, pd, context });
    expect(whole.bytes).to.equal(buffer.bytes);
    const words = new Float64Array(buffer.bytes.buffer, buffer.bytes.byteOffset + 64, 4);
    const part = pd.regMr(words, REMOTE_READ | RELAXED_ORDERING);
    expect(ops.lastMrRequest).to.include({ buffer: buffer.handle, offset: 64, length: 32 });
    expect(part).to.include({ addr: buffer.addr + 64, length: 32 });
    whole.dereg();
    expect(errorOf(() => buffer.free()).message).to.contain(part.label);
    part.dereg();
    buffer.free();
    expect(errorOf(() => pd.regMr(words, 0)).code).to.equal('EFAULT');
  });

  it('that the device cannot reach is EFAULT', () => {
    const { context } = openFake();
    const error = errorOf(() => context.allocPd().regMr(new Uint8Array(8), LOCAL_WRITE));
    expect(error).to.include({ code: 'EFAULT', verb: 'ibv_reg_mr' });
    expect(error.hint).to.contain('context.allocBuf()');
  });

  it('of any kind is registered where the device can', () => {
    const { context, ops } = openFake({ supports: ['registersAnyMemory'] });
    const view = Buffer.from('hello');
    const mr = context.allocPd().regMr(view, LOCAL_WRITE);
    expect(ops.lastMrRequest).to.include({ buffer: null, offset: 0, length: 5 });
    expect(Object.getPrototypeOf(mr.bytes)).to.equal(Uint8Array.prototype);
    expect([...mr.bytes]).to.deep.equal([...view]);
  });

  it('of another context is known by its bytes, and held', () => {
    const { context } = openFake();
    const other = openFake();
    const buffer = context.allocBuf(64);
    const mr = other.context.allocPd().regMr(buffer, LOCAL_WRITE);
    expect(other.ops.lastMrRequest).to.include({ buffer: null, offset: 0 });
    expect(errorOf(() => buffer.free()).message).to.contain(mr.label);
  });

  it('needs LOCAL_WRITE for what peers write', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const buffer = context.allocBuf(64);
    for (const access of [REMOTE_WRITE, REMOTE_ATOMIC, REMOTE_WRITE | REMOTE_READ]) {
      const error = errorOf(() => pd.regMr(buffer, access));
      expect(error).to.include({ code: 'EINVAL', hint: 'add AccessFlags.LOCAL_WRITE' });
    }
    pd.regMr(buffer, REMOTE_READ);
    pd.regMr(buffer, LOCAL_WRITE | REMOTE_WRITE | REMOTE_ATOMIC);
    expect(errorOf(() => pd.regMr(buffer, 1 << 15)).message).to.contain('bits that mean nothing: 0x8000');
    expect(errorOf(() => pd.regMr(buffer, 1.5)).code).to.equal('EINVAL');
    expect(errorOf(() => pd.regMr(new Uint8Array(buffer.bytes.buffer, buffer.bytes.byteOffset, 0), 0)).code).to.equal(
      'EINVAL',
    );
  });

  it('gives SGEs within its bounds', () => {
    const { mr } = openConnected();
    expect(mr.sge()).to.deep.equal(new Sge(mr.addr, 4096, mr.lkey));
    expect(mr.sge(4000)).to.deep.equal(new Sge(mr.addr + 4000, 96, mr.lkey));
    expect(mr.sge(4096)).to.include({ length: 0 });
    expect(mr.sge(8, 16)).to.include({ addr: mr.addr + 8, length: 16 });
    expect(errorOf(() => mr.sge(4097)).message).to.contain('offset is 4097; the limit is 0 to 4096');
    expect(errorOf(() => mr.sge(4000, 97)).message).to.contain(`what ${mr.label} has after offset 4000`);
    expect(errorOf(() => mr.sge(-1)).code).to.equal('EINVAL');
  });
});

describe('SharedReceiveQueue', () => {
  it('posts, modifies and queries', () => {
    const { pd, ops } = openConnected();
    const srq = pd.createSrq({ attr: { maxWr: 8, maxSge: 2 }, srqContext: 5 });
    expect(srq).to.include({ maxWr: 8, maxSge: 2, srqContext: 5 });
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    srq.postRecv([]);
    srq.modify({ srqLimit: 3 });
    expect(srq.query()).to.include({ maxWr: 16 });
    expect(ops.calls).to.include(`modifySrq ${srq.handle}`);
    expect(errorOf(() => srq.modify({})).hint).to.equal('give maxWr or srqLimit');
    expect(errorOf(() => srq.modify({ maxWr: 65 })).message).to.contain('maxSrqWr of the device');
    expect(errorOf(() => srq.modify({ srqLimit: -1 })).code).to.equal('EINVAL');
  });

  it('is checked against the device', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    expect(errorOf(() => pd.createSrq({ attr: { maxWr: 65 } })).details?.['what']).to.equal('attr.maxWr');
    expect(errorOf(() => pd.createSrq({ attr: { maxWr: 4, maxSge: 3 } })).message).to.contain('maxSrqSge');
    expect(errorOf(() => pd.createSrq({ attr: { maxWr: 4, srqLimit: 5 } })).message).to.contain('0 to 4 (maxWr)');
  });

  it('tells what is wrong with a receive', () => {
    const { pd } = openConnected();
    const srq = pd.createSrq({ attr: { maxWr: 8 } });
    const calls = srq.dataPath as SrqCalls;
    const post = calls.postRecv;
    calls.postRecv = () => {
      calls.badWrIndex = 1;
      return 12;
    };
    const error = errorOf(() => srq.postRecv([{}, {}]));
    expect(error).to.include({ code: 'ENOMEM', verb: 'ibv_post_srq_recv' });
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    calls.postRecv = post;
  });
});
