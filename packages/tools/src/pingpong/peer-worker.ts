/** The second thread of a ping-pong: joins the machine of the first one and is the end that answers. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import { VerbsError } from '@openverbs/verbs';
import { PingPongEnd } from './end.ts';
import type { FromPeer, PeerStart, ToPeer } from './peer-protocol.ts';
import { exchange } from './run.ts';

const port = parentPort!;
const { machine, deviceIndex, options, failed } = workerData as PeerStart;

async function answer(): Promise<void> {
  using verbs = openVerbs({ machine, ...(options.provider !== undefined && { provider: options.provider }) });
  using context = (deviceIndex === undefined ? verbs.device(options.device) : verbs.devices[deviceIndex]).open();
  const clients = new PingPongEnd(context, options, 'clients');
  say({ kind: 'addresses', addresses: clients.addresses });
  const message = await nextMessage();
  if (message.kind === 'end') return;
  clients.connect(message.remotes);
  say({ kind: 'connected' });
  const end = nextMessage();
  await exchange(clients.sides, options, () => Atomics.load(failed, 0) !== 0);
  say({ kind: 'done', invalidPages: clients.invalidPages() });
  // The other end may still be waiting for the acknowledgement of its last message, which takes a QP that is there.
  await end;
}

async function nextMessage(): Promise<ToPeer> {
  const [message] = (await once(port, 'message')) as [ToPeer];
  return message;
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
