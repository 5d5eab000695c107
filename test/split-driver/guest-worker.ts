/** A thread with a guest of its own, which opens its device, registers the same memory twice and polls once. */
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
for (let n = 0; n < 2; n++) pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
context.createCq({ cqe: 4 }).poll(WorkCompletion.array(1));
// What is counted here goes along with the next request.
context.queryPort(1);
parentPort!.postMessage('done');
parentPort!.once('message', () => {
  verbs[Symbol.dispose]();
});
