/** The second thread of a ping-pong: joins the machine of the first one and is the end that answers. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import { VerbsError } from '@openverbs/verbs';
import type { FromPeer, PeerStart, ToPeer } from './peer-protocol.ts';
import { exchange, randomPsn } from './run.ts';
import { PingPongSide } from './side.ts';

const port = parentPort!;
const { machine, options, failed } = workerData as PeerStart;

async function answer(): Promise<void> {
  using verbs = openVerbs({ machine, ...(options.provider !== undefined && { provider: options.provider }) });
  using context = verbs.device(options.device).open();
  const side = new PingPongSide(context, options, randomPsn());
  say({ kind: 'address', address: side.address });
  const [message] = (await once(port, 'message')) as [ToPeer];
  if (message.kind === 'end') return;
  side.connect(message.remote);
  say({ kind: 'connected' });
  await exchange([side], options.events, () => Atomics.load(failed, 0) !== 0);
  say({ kind: 'done', invalidPages: side.invalidPages() });
}

function say(message: FromPeer): void {
  port.postMessage(message);
}

function sayError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const { code, hint } = VerbsError.is(error) ? error : { code: 'EIO', hint: '' };
  Atomics.store(failed, 0, 1);
  say({ kind: 'error', error: { code, message, hint } });
}

void answer()
  .catch(sayError)
  .finally(() => port.close());
