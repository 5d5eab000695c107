/** A thread that joins a machine and answers every round with one of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import type { EchoOrder, EchoReport, EchoTask } from './echo-protocol.ts';
import { End } from './end.ts';
import { Rounds, type Round } from './rounds.ts';

const port = parentPort;
if (port === null) throw new Error('this module is the program of a worker');
const { machine, device, transfer, seed } = workerData as EchoTask;
const report = (message: EchoReport): void => {
  port.postMessage(message);
};

const rounds = new Rounds(seed);
const verbs = openVerbs({ machine });
const end = new End(verbs.device(device));
let next = 0;
prepare(rounds.at(next));
report({ address: end.address });

port.on('message', (order: EchoOrder) => {
  try {
    obey(order);
  } catch (error) {
    report({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

function obey(order: EchoOrder): void {
  if ('connect' in order) end.connect(order.connect);
  else if ('close' in order) {
    verbs[Symbol.dispose]();
    port?.close();
  } else {
    for (let n = 0; n < order.play; n++) answer(rounds.at(next++));
    report({ played: order.play });
  }
}

function prepare(round: Round): void {
  if (transfer === 'write') end.prepare(round, 0);
  else end.prepareReceive(round, 0);
}

function answer(round: Round): void {
  if (transfer === 'write') end.receiveByMemory(round, 0);
  else end.receiveByCompletion(round, 0);
  // The other end sends the next round when it has this answer, so the place for it is made before.
  prepare(rounds.at(next));
  if (transfer === 'write') end.write(round, 1);
  else end.send(round, 1);
}
