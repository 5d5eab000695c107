/** Memory of somebody else's that a queue is to lie in: stage one of direct access. */
import { callOp } from './call-op.ts';
import { checkInteger, show } from './check.ts';
import type { Context } from './context.ts';
import type { DirectAccessOps } from './driver/direct-access.ts';
import { invalid, inVerb, VerbsError } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';

const VERB_REG = 'regQueueBuffer';
const VERB_DEREG = 'deregQueueBuffer';

/**
 * The registered memory of one queue (stage one of direct access), from {@link regQueueBuffer}. The queue that is made on it is its
 * child, so it can't be deregistered before that has ended or has moved elsewhere.
 */
export class QueueBuffer extends VerbsObject {
  /** The context that made it. */
  readonly context: Context;
  /** The key, which commands of the device name it by. */
  readonly key: number;

  /** @internal */
  constructor(context: Context, key: number) {
    super([context]);
    this.context = context;
    this.key = key;
  }

  /** What messages call it. */
  get label(): string {
    return `queue buffer 0x${this.key.toString(16)}`;
  }

  /** Ends the registration. Throws EBUSY while a queue lies there. */
  dereg(): void {
    this.endStrictly(VERB_DEREG);
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('QueueBuffer', { key: this.key });
  }

  /** Refuses a buffer that has ended, is of another context, or holds a queue already. @internal */
  assertFree(verb: string, context: Context): void {
    this.assertLive(verb);
    if (this.context !== context) throw invalid(verb, `${this.label} is of another context`);
    const [queue] = this.children;
    if (queue === undefined) return;
    const message = `${this.label} holds ${queue.label}`;
    throw new VerbsError({ code: 'EBUSY', verb, message, hint: 'register memory for each queue' });
  }

  /** @internal */ protected override releaseInProvider(): void {
    callDirectAccess(this.context, VERB_DEREG, (ops) => {
      ops.deregQueueBuffer(this.key);
    });
  }
}

/**
 * Registers the memory of a queue: zeroed pages, by their bus addresses in their order. Throws EOPNOTSUPP on a device without direct
 * access, EINVAL for pages that it can't take.
 */
export function regQueueBuffer(context: Context, pages: ArrayLike<number>): QueueBuffer {
  context.assertLive(VERB_REG);
  assertDirectAccess(context, VERB_REG);
  if (typeof pages?.length !== 'number') throw invalid(VERB_REG, `pages is ${show(pages)}, no list of bus addresses`);
  checkInteger(VERB_REG, 'pages.length', pages.length, 1, Number.MAX_SAFE_INTEGER);
  return new QueueBuffer(
    context,
    callDirectAccess(context, VERB_REG, (ops) => ops.regQueueBuffer(pages)),
  );
}

/** Answers EOPNOTSUPP where the device has no direct access. @internal */
export function assertDirectAccess({ ops, device }: Context, verb: string): void {
  if (ops.directAccess !== undefined) return;
  const message = `${device.name} lets nobody but its own context post and poll`;
  const hint = 'have posts and polls go through the context: the basic mode of a split driver';
  throw new VerbsError({ code: 'EOPNOTSUPP', verb, message, hint, details: { capability: 'directAccess' } });
}

/** Calls the kernel half of direct access, and names `verb` in the errors that it throws. @internal */
export function callDirectAccess<T>(context: Context, verb: string, call: (ops: DirectAccessOps) => T): T {
  assertDirectAccess(context, verb);
  const ops = callOp(context, verb, 'directAccess');
  return inVerb(verb, () => call(ops));
}
