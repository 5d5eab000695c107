/** A thread that joins a machine and answers each word with its successor. */
import { parentPort, workerData } from 'node:worker_threads';
import type { QpEndpoint } from '@openverbs/verbs';
import { provider } from '../../src/index.ts';
import { Endpoint } from './endpoint.ts';
import type { Target } from './endpoint.ts';

export interface JoinMessage {
  readonly devices: string[];
  readonly remote: QpEndpoint;
  readonly target: Target;
}

const port = parentPort!;
const instance = provider.open(
  { machine: workerData as unknown, clock: undefined, prng: undefined },
  provider.parseConfig({}),
);
const end = new Endpoint(instance.devices[1], 1);
port.once('message', ({ remote, target }: { remote: QpEndpoint; target: Target }) => {
  end.connectTo(remote, target);
  port.postMessage('connected');
  for (let word = 1; word < 50; word += 2) {
    end.awaitWord(word);
    end.post(word + 1);
  }
  end.awaitWord(-1);
  end.context[Symbol.dispose]();
  instance.close();
});
const message: JoinMessage = { devices: instance.devices.map(({ name }) => name), ...end.address };
port.postMessage(message);
