/** What a guest names a file by for the back-end, which has no files of the guest's. */
import { fstatSync } from 'node:fs';
import { VerbsError } from '@openverbs/verbs';

/** The number of no file: of `ibv_open_xrcd`(3). */
export const NO_FILE = -1;

/** @throws VerbsError EINVAL when the number is not that of an open file */
export function inodeOf(fd: number): { readonly dev: bigint; readonly ino: bigint } {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return { dev: BigInt.asUintN(64, dev), ino: BigInt.asUintN(64, ino) };
  } catch (cause) {
    throw new VerbsError({ code: 'EINVAL', message: `fd ${fd} is no open file`, hint: 'fs.openSync gives one', cause });
  }
}
