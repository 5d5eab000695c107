/**
 * Errors of hypervisors. Codes are the errno values that Xen's libraries set for the same mistakes.
 *
 * @packageDocumentation
 */

/** Codes of {@link HypervisorError}: names of Linux errno values. */
export type HypervisorErrorCode =
  | 'E2BIG'
  | 'EACCES'
  | 'EAGAIN'
  | 'EBUSY'
  | 'EEXIST'
  | 'EINVAL'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'EPERM'
  | 'ESRCH'
  | 'ETIMEDOUT';

/** A call that a hypervisor refused. A refused call has changed nothing. */
export class HypervisorError extends Error {
  /** Stable between versions; the message is not. */
  readonly code: HypervisorErrorCode;
  /** What the reader can do about it; may be empty. */
  readonly hint: string;

  /**
   * @param code - stable
   * @param message - what was wrong, and where
   * @param hint - what to do about it
   */
  constructor(code: HypervisorErrorCode, message: string, hint = '') {
    super(message);
    this.name = 'HypervisorError';
    this.code = code;
    this.hint = hint;
  }
}
