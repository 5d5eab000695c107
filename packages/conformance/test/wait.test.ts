import { expect } from 'chai';
import { eventually, inTime, withWaitsOf } from '../src/bench/wait.ts';

/** What `body` fails with. */
async function failureOf(body: () => Promise<unknown>): Promise<string> {
  return await body().then(
    () => 'nothing',
    (error: unknown) => String(error),
  );
}

describe('waits of the conformance suite', () => {
  const waits = {
    eventually: () => eventually('rain', () => false),
    inTime: () => inTime('rain', new Promise<void>(() => {})),
  };
  for (const [name, wait] of Object.entries(waits)) {
    it(`${name} ends after as long as the subject says, and names what did not come`, async () => {
      expect(await failureOf(() => withWaitsOf(20, wait))).to.include('waited 20 ms for rain');
    });
  }

  it('inTime gives what came', async () => {
    await withWaitsOf(undefined, async () => {
      expect(await inTime('rain', Promise.resolve('rain'))).to.equal('rain');
    });
  });
});
