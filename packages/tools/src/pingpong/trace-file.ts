/** `--trace FILE`: the way of one message through the layers, as trace events that Perfetto and chrome://tracing show. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type PollMessage, type PostMessage, TraceChannel, VerbsError, WcOpcode } from '@openverbs/verbs';
import { LAYERS, spansOf, type TracedMessage } from './trace-spans.ts';

/** The last messages are enough: one way is written. */
const MESSAGES_MAX = 4096;
const NS_PER_US = 1000;

/** Listens from now on: what is made before tells nothing. That the file can be written is tried at once, not after a long run. */
export class TraceFile {
  readonly #path: string;
  readonly #messages: TracedMessage[] = [];
  readonly #listeners: readonly (readonly [string, (message: unknown) => void])[];

  /** @throws VerbsError EIO when the file can't be written */
  constructor(path: string) {
    tryToWrite(path);
    this.#path = path;
    const listen =
      <K extends TracedMessage['kind']>(kind: K) =>
      (message: unknown): void => {
        this.#messages.push({ kind, message } as TracedMessage);
        if (this.#messages.length > 2 * MESSAGES_MAX) this.#messages.splice(0, MESSAGES_MAX);
      };
    this.#listeners = [
      [TraceChannel.POST, listen('post')],
      [TraceChannel.POLL, listen('poll')],
      [TraceChannel.XEN, listen('xen')],
      [TraceChannel.PACKET, listen('packet')],
    ];
    for (const [name, listener] of this.#listeners) subscribe(name, listener);
  }

  /**
   * Writes the last message that `device` sent and whose completion was polled.
   *
   * @throws VerbsError EIO when there was none, or the file can't be written
   */
  write(device: string): void {
    const [from, to] = lastWay(this.#messages, device);
    const spans = spansOf(this.#messages, device).filter(({ beginNs, endNs }) => endNs >= from && beginNs <= to);
    const microseconds = (ns: number): number => Number(((ns - from) / NS_PER_US).toFixed(3));
    const traceEvents = [
      ...LAYERS.map((name, tid) => ({ ph: 'M', name: 'thread_name', pid: 1, tid, args: { name } })),
      ...LAYERS.map((_, tid) => ({ ph: 'M', name: 'thread_sort_index', pid: 1, tid, args: { sort_index: tid } })),
      ...spans.map(({ layer, name, beginNs, endNs, args }) => ({
        ph: 'X',
        name,
        cat: 'openverbs',
        pid: 1,
        tid: LAYERS.indexOf(layer),
        ts: microseconds(beginNs),
        dur: Number(((endNs - beginNs) / NS_PER_US).toFixed(3)),
        args,
      })),
    ];
    try {
      writeFileSync(this.#path, `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents }, undefined, 1)}\n`);
    } catch (error) {
      throw cannotWrite(error);
    }
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener);
  }
}

/** Leaves behind what was there: a file with its bytes, or none. A pipe is not touched, whose reader would take it for the end. */
function tryToWrite(path: string): void {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) return;
    closeSync(openSync(path, 'a'));
    if (stats === undefined) rmSync(path);
  } catch (error) {
    throw cannotWrite(error);
  }
}

function cannotWrite(error: unknown): VerbsError {
  const message = `the trace can't be written: ${(error as Error).message}`;
  return new VerbsError({ code: 'EIO', message, hint: 'name a file in a directory that is there', cause: error });
}

/** From the post of the last send that was completed, to the poll of its completion. */
function lastWay(messages: readonly TracedMessage[], device: string): readonly [number, number] {
  const polled = messages.findLastIndex(
    ({ kind, message }) =>
      kind === 'poll' &&
      message.device === device &&
      message.completions.some(({ opcode }) => opcode === WcOpcode.SEND),
  );
  const posted = messages
    .slice(0, Math.max(polled, 0))
    .findLast(({ kind, message }) => kind === 'post' && message.device === device && message.queue === 'send')
    ?.message as PostMessage | undefined;
  if (posted !== undefined) {
    const { atNs, durationNs } = messages[polled].message as PollMessage;
    return [posted.atNs, atNs + durationNs];
  }
  throw new VerbsError({ code: 'EIO', message: 'no message was sent and completed, so there is nothing to trace' });
}
