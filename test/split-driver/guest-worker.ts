/** A thread with a guest of its own, which opens its device, polls once, and registers the same memory again without a request. */
import { parentPort, workerData } from 'node:worker_threads';
import { AccessFlags, openVerbs, WorkCompletion } from 'openverbs';

const { machine } = workerData as { readonly machine: unknown };
const verbs = openVerbs({
  machine,
  provider: 'xen:basic',
  xen: { guests: [{ name: 'elsewhere' }] },
  registrationCache: true,
});
const context = verbs.device().open();
const pd = context.allocPd();
const buffer = context.allocBuf(3 * 4096);
pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
context.createCq({ cqe: 4 }).poll(WorkCompletion.array(1));
// The count of polls goes along with the next request; that of registrations which the cache has saved needs none.
context.queryPort(1);
pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
parentPort!.postMessage('done');
parentPort!.once('message', () => {
  verbs[Symbol.dispose]();
});
