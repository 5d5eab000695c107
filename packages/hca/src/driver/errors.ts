/** Turns what the device and the machine refuse into the error of verbs. */
import { MachineError } from '@openverbs/machine';
import { Errno, VerbsError } from '@openverbs/verbs';
import type { ErrnoName } from '@openverbs/verbs';
import { DeviceError } from '../device-error.ts';

/** Calls the device; its refusals come out as `VerbsError`. */
export function asVerbsError<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (!(cause instanceof DeviceError || cause instanceof MachineError)) throw cause;
    const code: ErrnoName = cause.code in Errno ? (cause.code as ErrnoName) : 'EIO';
    throw new VerbsError({ code, message: cause.message, hint: cause.hint, cause });
  }
}
