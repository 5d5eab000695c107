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

/** Answers EOPNOTSUPP when the provider leaves `name` out. Before any check of arguments: limits of what is left out are 0. */
export function assertOp(owner: OpOwner, verb: string, name: OpName): void {
  if (owner.ops[name] !== undefined) return;
  const { device } = owner;
  const message = `the provider ${device.provider} leaves it out`;
  const hint = `device.supports() tells what ${device.name} can do`;
  throw new VerbsError({ code: 'EOPNOTSUPP', verb, message, hint, details: { op: name, device: device.name } });
}

/** Calls `name`; answers EOPNOTSUPP when the provider leaves it out, and names `verb` in the errors that it throws. */
export function callOp<K extends OpName>(owner: OpOwner, verb: string, name: K, ...args: OpArgs<K>): OpResult<K> {
  assertOp(owner, verb, name);
  const op = owner.ops[name] as (...args: unknown[]) => unknown;
  return inVerb(verb, () => op.apply(owner.ops, args)) as OpResult<K>;
}
