import { expect } from 'chai';
import { inspect } from 'node:util';
import { WcOpcode, WcStatus } from '../src/enums/wc.ts';
import { VendorErr } from '../src/rings/vendor-err.ts';
import { WorkCompletion } from '../src/work-completion.ts';

function failed(status: number, vendorErr: number, faultKey = 0, faultAddr = 0): WorkCompletion {
  return Object.assign(new WorkCompletion(), { status, vendorErr, faultKey, faultAddr });
}

describe('wc.explain()', () => {
  it('names key, region and right', () => {
    const wc = failed(WcStatus.REM_ACCESS_ERR, VendorErr.RKEY_NO_REMOTE_WRITE, 0x1a07);
    expect(wc.explain()).to.equal('REM_ACCESS_ERR: rkey 0x1a07 of MR 26 lacks REMOTE_WRITE');
  });

  it('names the address', () => {
    const wc = failed(WcStatus.REM_ACCESS_ERR, VendorErr.RKEY_RANGE, 0xffffff02, 0x7f0012345678);
    expect(wc.explain()).to.equal(
      'REM_ACCESS_ERR: remote address 0x7f0012345678 reaches beyond rkey 0xffffff02 of MR 16777215',
    );
  });

  it('has a sentence for every code', () => {
    for (const [name, code] of Object.entries(VendorErr)) {
      const text = failed(WcStatus.GENERAL_ERR, code, 0x107, 4096).explain();
      if (code === VendorErr.NONE) expect(text).to.equal('GENERAL_ERR: general error');
      else expect(text, name).to.match(/^GENERAL_ERR: (?!general error).{20,}/);
    }
  });

  it('shows the code of a device that it does not know', () => {
    expect(failed(WcStatus.RETRY_EXC_ERR, 0x8a).explain()).to.equal(
      'RETRY_EXC_ERR: transport retry counter exceeded (vendor error 0x8a)',
    );
  });

  it('says what succeeded', () => {
    const wc = Object.assign(new WorkCompletion(), { opcode: WcOpcode.RECV });
    expect(wc.explain()).to.equal('SUCCESS: RECV');
  });
});

describe('WorkCompletion', () => {
  it('starts with zeros', () => {
    for (const value of Object.values(new WorkCompletion())) expect(value).to.equal(0);
    expect(WorkCompletion.array(3)).to.have.length(3);
  });

  it('prints', () => {
    const wc = Object.assign(new WorkCompletion(), { wrId: 7, opcode: WcOpcode.RDMA_READ, qpNum: 17, byteLen: 8 });
    expect(inspect(wc)).to.equal(
      'WorkCompletion { wrId: 7, status: SUCCESS, opcode: RDMA_READ, qpNum: 17, byteLen: 8 }',
    );
  });
});
