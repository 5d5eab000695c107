/** The commands about XRC domains. They follow the rules of `command-interface.ts`. */
import type { XrcdInit } from './command-init.ts';
import type { CommandInterface } from './command-interface.ts';
import { DeviceError } from './device-error.ts';
import { freeXrcd } from './free-objects.ts';
import { Qpc, Srqc, Xrcdc } from './layout.ts';
import { XRCDS_LOG2, XRCDS_MAX } from './limits.ts';
import { qps, srqs, xrcds } from './table-entries.ts';

const INODE_WORDS = 4;

export class XrcdCommands {
  readonly #commands: CommandInterface;
  readonly #i32: Int32Array;

  constructor(commands: CommandInterface) {
    this.#commands = commands;
    this.#i32 = commands.engine.machine.i32;
  }

  /**
   * Opens a domain and returns the number of this opening.
   *
   * @throws DeviceError `EAGAIN` when there is none and none shall be made, `EINVAL` when there is one and that is not wanted: what
   * the kernel answers (source: Linux uverbs_cmd.c, ib_uverbs_open_xrcd)
   */
  open(init: XrcdInit): number {
    const { engine, hca } = this.#commands;
    return engine.command(() => {
      const i32 = this.#i32;
      const first = init.inode === undefined ? 0 : this.#find(init.inode);
      if (first === 0 && !init.create) {
        throw new DeviceError('EAGAIN', 'there is no XRC domain of this inode', 'open it with O_CREAT');
      }
      if (first !== 0 && init.exclusive) {
        throw new DeviceError('EINVAL', 'there is an XRC domain of this inode', 'open it without O_EXCL');
      }
      const index = hca.xrcds.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${XRCDS_MAX} openings of XRC domains are taken`);
      const x = hca.xrcdTable + index * Xrcdc.WORDS;
      const number = (this.#commands.nextGeneration(x + Xrcdc.GENERATION) << XRCDS_LOG2) | index;
      i32[x + Xrcdc.DOMAIN] = first === 0 ? number : i32[first + Xrcdc.DOMAIN];
      i32[x + Xrcdc.UAR] = init.uar;
      i32[x + Xrcdc.SHARED] = init.inode === undefined ? 0 : 1;
      for (let n = 0; n < INODE_WORDS; n++) i32[x + Xrcdc.INODE + n] = init.inode?.[n] ?? 0;
      Atomics.store(i32, x + Xrcdc.NUMBER, number);
      return number;
    });
  }

  /** Closes an opening; the last one of a domain that is in use stays. */
  close(number: number): void {
    const { engine, hca } = this.#commands;
    engine.command(() => {
      const i32 = this.#i32;
      const x = this.#context(number);
      const domain = i32[x + Xrcdc.DOMAIN];
      const others = xrcds(i32, hca).some((other) => other !== x && i32[other + Xrcdc.DOMAIN] === domain);
      const used =
        qps(i32, hca).some((q) => i32[q + Qpc.XRCD] === domain) ||
        srqs(i32, hca).some((s) => i32[s + Srqc.XRCD] === domain);
      if (used && !others) throw new DeviceError('EBUSY', `QPs or SRQs are in XRC domain ${domain}`);
      freeXrcd(engine, hca, x);
    });
  }

  /** The domain that was opened. */
  domain(number: number): number {
    return this.#i32[this.#context(number) + Xrcdc.DOMAIN];
  }

  #context(number: number): number {
    const x = this.#commands.hca.xrcdTable + (number & (XRCDS_MAX - 1)) * Xrcdc.WORDS;
    if (number === 0 || this.#i32[x + Xrcdc.NUMBER] !== number) {
      throw new DeviceError('EINVAL', `there is no XRC domain ${number}`);
    }
    return x;
  }

  /** An opening of the domain of an inode, or 0. */
  #find(inode: readonly number[]): number {
    const i32 = this.#i32;
    const has = (x: number): boolean => inode.every((word, n) => i32[x + Xrcdc.INODE + n] === word);
    return xrcds(i32, this.#commands.hca).find((x) => i32[x + Xrcdc.SHARED] !== 0 && has(x)) ?? 0;
  }
}
