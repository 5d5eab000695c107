import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { VERBS_H_CONSTANTS } from './verbs-h-constants.ts';

describe('constants of gen2', () => {
  it('have the names and values of verbs.h', () => {
    const ofHeader = Object.fromEntries(
      VERBS_H_CONSTANTS.split(',').map((entry) => {
        const [name, value] = entry.trim().split(' ');
        return [`IBV_${name}`, Number(value)];
      }),
    );
    const constants = Object.fromEntries(Object.entries(gen2).filter(([name]) => name.startsWith('IBV_')));
    expect(constants).to.deep.equal(ofHeader);
  });
});
