/** The one error class, and Linux's error numbers. */

/**
 * Error numbers, with Linux's values on every platform, so that a recorded `errno` means the same everywhere.
 *
 * @enum
 */
export const Errno = {
  /** Not permitted. */
  EPERM: 1,
  /** No such thing. */
  ENOENT: 2,
  /** A wait was interrupted. */
  EINTR: 4,
  /** The device failed to do it. */
  EIO: 5,
  /** Not now; try again. */
  EAGAIN: 11,
  /** A limit is reached: a queue is full, or memory is short. */
  ENOMEM: 12,
  /** No right to it. */
  EACCES: 13,
  /** Memory that the device can't reach. */
  EFAULT: 14,
  /** In use. */
  EBUSY: 16,
  /** It is there already. */
  EEXIST: 17,
  /** No such device, or it is gone. */
  ENODEV: 19,
  /** An argument or a state is wrong. */
  EINVAL: 22,
  /** A table of the device is full. */
  ENOSPC: 28,
  /** Not implemented at all. */
  ENOSYS: 38,
  /** A number is too large for its place. */
  EOVERFLOW: 75,
  /** The operation is optional, and this provider leaves it out. */
  EOPNOTSUPP: 95,
  /** The address is in use. */
  EADDRINUSE: 98,
  /** No such local address. */
  EADDRNOTAVAIL: 99,
  /** The network can't be reached. */
  ENETUNREACH: 101,
  /** The connection was reset. */
  ECONNRESET: 104,
  /** Connected already. */
  EISCONN: 106,
  /** Not connected. */
  ENOTCONN: 107,
  /** It took too long. */
  ETIMEDOUT: 110,
  /** The peer refused. */
  ECONNREFUSED: 111,
  /** No way to the host. */
  EHOSTUNREACH: 113,
  /** The owner of the object ended while somebody waited for it. */
  ECANCELED: 125,
} as const;

/** Name of an error number, for example `'EINVAL'`. */
export type ErrnoName = keyof typeof Errno;

/** The name of an error number; `'EIO'` for one that {@link Errno} doesn't list. */
export function errnoName(errno: number): ErrnoName {
  for (const name of Object.keys(Errno) as ErrnoName[]) if (Errno[name] === errno) return name;
  return 'EIO';
}

/** What a {@link VerbsError} is made of. */
export interface VerbsErrorInit {
  /** Stable across versions; programs match on it. */
  readonly code: ErrnoName;
  /** The verb that failed, by its C name. A provider leaves it out: `verbs` fills it in. */
  readonly verb?: string;
  /** What is wrong, where, and what the limit is. May change between versions. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Data for programs; its keys depend on the verb. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The error that caused it. */
  readonly cause?: unknown;
}

const BRAND: unique symbol = Symbol.for('openverbs.VerbsError') as never;

/**
 * What a failed verb throws.
 *
 * Match on `code`, or on `errno` as C programs do; messages may change. `VerbsError.is(error)` recognises the errors of every
 * copy of this package.
 *
 * @example
 * ```ts
 * import { VerbsError } from '@openverbs/verbs';
 *
 * try {
 *   throw new VerbsError({ code: 'ENOMEM', verb: 'ibv_post_send', message: 'the send queue is full', hint: 'poll first' });
 * } catch (error) {
 *   if (VerbsError.is(error) && error.code === 'ENOMEM') console.log(error.hint);
 * }
 * ```
 */
export class VerbsError extends Error {
  /** Always `'VerbsError'`. */
  override readonly name = 'VerbsError';
  /** Stable across versions. */
  readonly code: ErrnoName;
  /** Linux's number of {@link VerbsError.code}, positive. */
  readonly errno: number;
  /** The verb that failed, by its C name, for example `'ibv_modify_qp'`; empty when none is known. */
  readonly verb: string;
  /** What to do about it; may be empty. */
  readonly hint: string;
  /** Data for programs; its keys depend on the verb. A refused post has `badWrIndex`, a refused modify `missing` … */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(init: VerbsErrorInit) {
    const verb = init.verb ?? '';
    super(verb === '' ? init.message : `${verb}: ${init.message}`, 'cause' in init ? { cause: init.cause } : undefined);
    this.code = init.code;
    this.errno = Errno[init.code];
    this.verb = verb;
    this.hint = init.hint ?? '';
    this.details = init.details;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Whether `error` is a VerbsError, of this copy of the package or another. */
  static is(error: unknown): error is VerbsError {
    return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[BRAND] === true;
  }
}

/**
 * Calls a provider, and adds the verb's name to an error that has none.
 *
 * @internal
 */
export function inVerb<T>(verb: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!VerbsError.is(error) || error.verb !== '') throw error;
    throw new VerbsError({
      code: error.code,
      verb,
      message: error.message,
      hint: error.hint,
      details: error.details,
      cause: error.cause ?? error,
    });
  }
}

/**
 * An `EINVAL`, the most frequent one.
 *
 * @internal
 */
export function invalid(verb: string, message: string, hint = '', details?: Record<string, unknown>): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb, message, hint, details });
}
