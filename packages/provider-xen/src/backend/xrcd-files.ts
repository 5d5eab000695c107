/**
 * The files by which a guest names XRC domains. A file is a name among the contexts of one guest, as it would be within one system: guests share no
 * file system, so that the same name of two guests is two files. For the lower device it becomes a file of the back-end's that no other guest can
 * name, so that guests never meet in a domain.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { XrcDomain } from '@openverbs/verbs';

/** A file, as the guest names it: a number of a file system of its own, and one of a file in that. */
export interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A file of the back-end's, and the domains that were opened by it. */
interface File {
  readonly fd: number;
  readonly users: Set<XrcDomain>;
}

export class XrcdFiles {
  readonly #files = new Map<string, File>();

  /** Has a domain opened by the file that stands for the guest's. */
  open({ dev, ino }: Inode, open: (fd: number) => XrcDomain): XrcDomain {
    const inode = `${dev} ${ino}`;
    const file = this.#files.get(inode) ?? { fd: makeFile(), users: new Set() };
    this.#files.set(inode, file);
    try {
      const xrcd = open(file.fd);
      file.users.add(xrcd);
      return xrcd;
    } finally {
      this.#closeUnused(inode, file);
    }
  }

  /** A domain was closed. */
  release(xrcd: XrcDomain): void {
    for (const [inode, file] of this.#files) if (file.users.delete(xrcd)) this.#closeUnused(inode, file);
  }

  #closeUnused(inode: string, { fd, users }: File): void {
    if (users.size > 0) return;
    this.#files.delete(inode);
    closeSync(fd);
  }
}

/** A file without a name: its inode is nobody else's as long as it is open. */
function makeFile(): number {
  const name = path.join(tmpdir(), `openverbs-xrcd-${randomUUID()}`);
  const fd = openSync(name, 'wx');
  unlinkSync(name);
  return fd;
}
