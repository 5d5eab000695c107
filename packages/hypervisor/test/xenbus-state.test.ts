import { expect } from 'chai';
import { parseXenbusState, XenbusState } from '../src/index.ts';

describe('the state of an end of a split driver', () => {
  it('is what its node says', () => {
    for (const state of Object.values(XenbusState)) expect(parseXenbusState(String(state))).to.equal(state);
  });

  it('is unknown when the node is missing, or says something else', () => {
    for (const value of [undefined, '', '9', '-1', '44', '4.0', ' 4', '4 ', '4\n', 'Connected', '0x4'])
      expect(parseXenbusState(value), JSON.stringify(value)).to.equal(XenbusState.UNKNOWN);
  });
});
