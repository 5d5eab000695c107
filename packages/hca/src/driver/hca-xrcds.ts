/** The XRC domains that a context has opened. Handles are the device's numbers of the openings. */
import { fstatSync } from 'node:fs';
import { VerbsError } from '@openverbs/verbs';
import type { CommandInterface } from '../command-interface.ts';
import { asVerbsError } from './errors.ts';

/** `oflags` of ibv_open_xrcd(3), with Linux's values on every host. */
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const NO_FILE = -1;

export class HcaXrcds {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #open = new Set<number>();

  constructor(commands: CommandInterface, uar: number) {
    this.#commands = commands;
    this.#uar = uar;
  }

  open(fd: number, oflags: number): number {
    if ((oflags & ~(O_CREAT | O_EXCL)) !== 0) {
      throw new VerbsError({ code: 'EINVAL', message: `oflags are O_CREAT and O_EXCL, not 0o${oflags.toString(8)}` });
    }
    const found = fd === NO_FILE ? {} : { inode: inodeOf(fd) };
    const flags = { create: (oflags & O_CREAT) !== 0, exclusive: (oflags & O_EXCL) !== 0 };
    const number = asVerbsError(() => this.#commands.xrcds.open({ uar: this.#uar, ...flags, ...found }));
    this.#open.add(number);
    return number;
  }

  close(number: number): void {
    asVerbsError(() => {
      this.#commands.xrcds.close(number);
    });
    this.#open.delete(number);
  }

  closeAll(): void {
    for (const number of [...this.#open]) this.close(number);
  }
}

/** All threads of a process have the same files, so an inode names a domain for all of them. */
function inodeOf(fd: number): [number, number, number, number] {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
    return [low(dev), low(dev >> 32n), low(ino), low(ino >> 32n)];
  } catch (cause) {
    throw new VerbsError({ code: 'EINVAL', message: `fd ${fd} is no open file`, hint: 'fs.openSync gives one', cause });
  }
}
