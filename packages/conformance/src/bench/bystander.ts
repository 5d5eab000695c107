/** A pair of QPs that has nothing to do with a test, and must not notice it. */
import { WcOpcode } from '@openverbs/verbs';
import type { Bench } from './bench.ts';
import { expectCompletions, expectNoCompletion } from './completions.ts';
import { expectBytes, fillPattern, pattern } from './payload.ts';
import { send } from './requests.ts';
import type { Side } from './side.ts';

const MESSAGE_BYTES = 777;

/** See above. */
export class Bystander {
  readonly #a: Side;
  readonly #b: Side;
  #round = 0;

  constructor(bench: Bench) {
    const { a, b } = bench.pair({ bufferBytes: 4 * MESSAGE_BYTES });
    this.#a = a;
    this.#b = b;
  }

  /** Sends verified data both ways; nothing but that may have come. */
  async verify(): Promise<void> {
    await this.#sendOne(this.#a, this.#b);
    await this.#sendOne(this.#b, this.#a);
    for (const side of [this.#a, this.#b]) {
      expectNoCompletion(side.sendCq);
      expectNoCompletion(side.recvCq);
    }
  }

  async #sendOne(from: Side, to: Side): Promise<void> {
    const seed = ++this.#round;
    fillPattern(from.bytes.subarray(0, MESSAGE_BYTES), seed);
    to.bytes.fill(0);
    to.qp.postRecv({ wrId: seed, sgList: [to.sge(1, MESSAGE_BYTES)] });
    from.qp.postSend(send(seed, [from.sge(0, MESSAGE_BYTES)]));
    await expectCompletions(from.sendCq, { wrId: seed, opcode: WcOpcode.SEND, qp: from.qp });
    await expectCompletions(to.recvCq, { wrId: seed, opcode: WcOpcode.RECV, byteLen: MESSAGE_BYTES, qp: to.qp });
    const received = to.bytes.subarray(1, 1 + MESSAGE_BYTES);
    expectBytes(received, pattern(seed, MESSAGE_BYTES), 'what the QPs standing by received');
  }
}
