/** Calls a provider's operation. */
import type { ContextOps } from './driver/device-ops.ts';
import { inVerb, VerbsError } from './errors.ts';

/** Names of the operations of {@link ContextOps}. */
export type OpName = {
  [K in keyof ContextOps]-?: NonNullable<ContextOps[K]> extends (...args: never[]) => unknown ? K : never;
}[keyof ContextOps];

type OpArgs<K extends OpName> = NonNullable<ContextOps[K]> extends (...args: infer A) => unknown ? A : never;
type OpResult<K extends OpName> = NonNullable<ContextOps[K]> extends (...args: never[]) => infer R ? R : never;

/** What is known of the caller's context. */
export interface OpOwner {
  readonly ops: ContextOps;
  readonly device: { readonly name: string; readonly provider: string };
}

/** Calls `name`; answers EOPNOTSUPP when the provider leaves it out, and names `verb` in the errors that it throws. */
export function callOp<K extends OpName>(owner: OpOwner, verb: string, name: K, ...args: OpArgs<K>): OpResult<K> {
  const op = owner.ops[name] as ((...args: unknown[]) => unknown) | undefined;
  if (op === undefined) {
    const { device } = owner;
    const message = `the provider ${device.provider} leaves it out`;
    const hint = `device.supports() tells what ${device.name} can do`;
    throw new VerbsError({ code: 'EOPNOTSUPP', verb, message, hint, details: { op: name, device: device.name } });
  }
  return inVerb(verb, () => op.apply(owner.ops, args)) as OpResult<K>;
}
