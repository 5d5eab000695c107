/** What a command of the device channel is: a number, what it asks and what it answers. */
import { struct } from './field.ts';
import type { Field, ValuesOf } from './field.ts';

/** A command. */
export interface Command<Q, R> {
  /** What stands in the ring entry. */
  readonly number: number;
  readonly request: Field<Q>;
  readonly response: Field<R>;
  /** Whether the arguments go through the bulk area even when they fit the entry: so that no payload lies on the ring. */
  readonly bulk: boolean;
}

/** What a command asks. */
export type RequestOf<C> = C extends { readonly request: Field<infer Q> } ? Q : never;
/** What a command answers. */
export type ResponseOf<C> = C extends { readonly response: Field<infer R> } ? R : never;

type FieldTable = Readonly<Record<string, unknown>>;

export function command<Q extends FieldTable, R extends FieldTable>(
  number: number,
  request: Q,
  response: R,
  { bulk = false }: { readonly bulk?: boolean } = {},
): Command<ValuesOf<Q>, ValuesOf<R>> {
  return { number, request: struct(request), response: struct(response), bulk };
}
