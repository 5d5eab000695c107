/** Makes a method a traced verb. */
import { type VerbMessage, traceNowNs, verbChannel } from './channels.ts';
import { plainArguments, toPlain } from './plain.ts';

/** What a verb can be called on. */
interface Called {
  readonly label?: string;
  readonly name?: string;
  readonly device?: { readonly name: string };
  readonly context?: { readonly device: { readonly name: string } };
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Told = Omit<VerbMessage, 'result' | 'error' | 'durationNs'>;

/** Every method that {@link tracedVerb} made. */
const tracedMethods = new WeakSet<object>();

/** Whether a method tells of its calls. */
export function isTraced(method: object): boolean {
  return tracedMethods.has(method);
}

/** While a verb or a subscriber runs: the verbs that it calls are its own affair. */
let inside = false;

/**
 * `method`, and a message of each call while somebody listens. `names` are those of the arguments. Without listeners it costs a look
 * at the channel.
 */
export function tracedVerb(verb: string, names: readonly string[], method: Method): Method {
  const traced = function (this: unknown, ...args: unknown[]): unknown {
    if (inside || !verbChannel.hasSubscribers) return method.apply(this, args);
    return callTraced(this, verb, names, method, args);
  };
  Object.defineProperty(traced, 'name', { value: method.name });
  Object.defineProperty(traced, 'length', { value: method.length });
  tracedMethods.add(traced);
  return traced;
}

function callTraced(self: unknown, verb: string, names: readonly string[], method: Method, args: unknown[]): unknown {
  const object = self as Called;
  const device = (object.context ?? object).device?.name ?? object.name ?? '';
  const told: Told = {
    verb,
    device,
    object: object.label ?? device,
    args: plainArguments(names, args),
    atNs: traceNowNs(),
  };
  let result: unknown;
  inside = true;
  try {
    result = method.apply(self, args);
  } catch (error) {
    publish(told, undefined, error);
    throw error;
  } finally {
    inside = false;
  }
  if (result instanceof Promise) return settled(told, result);
  publish(told, result, undefined);
  return result;
}

async function settled(told: Told, promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    publish(told, undefined, error);
    throw error;
  }
  publish(told, result, undefined);
  return result;
}

function publish(told: Told, result: unknown, error: unknown): void {
  const before = inside;
  inside = true;
  try {
    const message: VerbMessage = { ...told, result: toPlain(result), error, durationNs: traceNowNs() - told.atNs };
    verbChannel.publish(message);
  } finally {
    inside = before;
  }
}
