/** What a check is, and what it is to remove it. */

/** How a check looks in a source. */
export type CheckKind = 'guard' | 'operand' | 'call' | 'bound';

/** A check, which is an expression: it is removed by putting another one in its place. */
export interface Check {
  /** Path of its file from the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The function that it stands in: `Quota.take`, or `list.draw`. */
  readonly fn: string;
  readonly kind: CheckKind;
  /** Its source, in one line. */
  readonly text: string;
  /** Source of what it belongs to, in one line: the whole `if`, the whole condition, the whole call. */
  readonly whole: string;
  /** Source of what stands there when it is removed. */
  readonly removed: string;
  /** Where its text begins and ends in the file. */
  readonly start: number;
  readonly end: number;
}

/** `packages/provider-xen/src/backend/quota.ts:52 Quota.take: this.used[kind] + count > this.limits[kind]` */
export function describeCheck({ file, line, fn, text, whole, kind }: Check): string {
  const where = kind === 'operand' || kind === 'bound' ? ` (of ${whole})` : '';
  return `${file}:${line} ${fn}: ${text}${where}`;
}
