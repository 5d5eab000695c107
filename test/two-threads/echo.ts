/** A connection with an echo worker: plays rounds with it and checks what comes back. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OpenVerbs } from 'openverbs';
import type { EchoOrder, EchoReport, EchoTask, Transfer } from './echo-protocol.ts';
import { End } from './end.ts';
import { Rounds, type Round } from './rounds.ts';

/** See above. */
export class Echo {
  /** Rounds of a lap, after which every length was played at several alignments. */
  readonly lap: number;
  readonly #transfer: Transfer;
  readonly #rounds: Rounds;
  readonly #end: End;
  readonly #worker: Worker;
  #next = 0;

  private constructor(verbs: OpenVerbs, transfer: Transfer, seed: number) {
    const { devices, machine } = verbs;
    const device = devices.at(-1)?.name ?? '';
    const workerData: EchoTask = { machine, device, transfer, seed };
    this.#transfer = transfer;
    this.#rounds = new Rounds(seed);
    this.lap = this.#rounds.lap;
    this.#end = new End(verbs.device());
    this.#worker = new Worker(new URL('echo-worker.js', import.meta.url), { workerData });
  }

  /** Starts the other thread and connects with it. */
  static async start(verbs: OpenVerbs, transfer: Transfer, seed: number): Promise<Echo> {
    const echo = new Echo(verbs, transfer, seed);
    const report = await echo.#report();
    if (!('address' in report)) throw new Error(`the other thread: ${JSON.stringify(report)}`);
    echo.#end.connect(report.address);
    echo.#order({ connect: echo.#end.address });
    return echo;
  }

  /** Plays rounds; throws what was wrong with one of them at this end, at the other, or at both. */
  async play(count: number): Promise<void> {
    const wrong: unknown[] = [];
    const report = this.#report();
    this.#order({ play: count });
    try {
      for (let n = 0; n < count; n++) this.#play(this.#rounds.at(this.#next++));
    } catch (error) {
      wrong.push(error);
    }
    const there = await report;
    if ('failure' in there) wrong.push(`at the other end: ${there.failure}`);
    if (wrong.length > 0) throw new Error(wrong.join('; '), { cause: wrong[0] });
  }

  /** Ends the other thread and the connection. */
  async close(): Promise<void> {
    const exit = once(this.#worker, 'exit');
    this.#order({ close: true });
    await exit;
    this.#end.close();
  }

  #play(round: Round): void {
    const end = this.#end;
    if (this.#transfer === 'write') {
      end.prepare(round, 1);
      end.write(round, 0);
      end.receiveByMemory(round, 1);
      end.readBack(round, 1);
    } else {
      end.prepareReceive(round, 1);
      end.send(round, 0);
      end.receiveByCompletion(round, 1);
    }
  }

  #order(order: EchoOrder): void {
    this.#worker.postMessage(order);
  }

  async #report(): Promise<EchoReport> {
    const [report] = (await once(this.#worker, 'message')) as [EchoReport];
    return report;
  }
}
