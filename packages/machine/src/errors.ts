/**
 * Errors of the machine. Providers turn them into `VerbsError`, so they carry the same stable codes.
 *
 * @packageDocumentation
 */

/** Codes of {@link MachineError}: names of Linux errno values. */
export type MachineErrorCode = 'EBUSY' | 'EDEADLK' | 'EINVAL' | 'ENOMEM' | 'EOWNERDEAD' | 'EPERM' | 'ETIMEDOUT';

/** What a {@link MachineError} is made of. */
export interface MachineErrorInit {
  readonly code: MachineErrorCode;
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure of machine memory, its lock or one of its allocators. */
export class MachineError extends Error {
  /** Stable between versions; the message is not. */
  readonly code: MachineErrorCode;
  /** What the reader can do about it; may be empty. */
  readonly hint: string;

  constructor(init: MachineErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'MachineError';
    this.code = init.code;
    this.hint = init.hint ?? '';
  }
}

/** A wait whose deadline passed. Its code is `ETIMEDOUT`. */
export class MachineTimeoutError extends MachineError {
  constructor(message: string, hint?: string) {
    super(hint === undefined ? { code: 'ETIMEDOUT', message } : { code: 'ETIMEDOUT', message, hint });
    this.name = 'MachineTimeoutError';
  }
}
