/** The watches of a connection and their events. They belong to the thread of the connection, and end with it. */
import { HypervisorError } from '../../errors.ts';
import { DOM0, XENSTORE_WATCH_EVENTS_MAX } from '../../limits.ts';
import type { WatchEvent } from '../../xenstore.ts';
import { domainPath, isWithin, parentOf, watchable } from './paths.ts';
import { permits } from './permissions.ts';
import type { Replica } from './replica.ts';

interface Watch {
  /** As given. */
  readonly path: string;
  readonly absolute: string;
  readonly token: string;
}

export class Watches {
  readonly #domid: number;
  readonly #replica: Replica;
  readonly #watchesMax: number;
  readonly #watches: Watch[] = [];
  readonly #events: { readonly watch: Watch; readonly path: string }[] = [];

  constructor(domid: number, replica: Replica, watchesMax: number) {
    this.#domid = domid;
    this.#replica = replica;
    this.#watchesMax = domid === DOM0 ? Infinity : watchesMax;
  }

  add(path: string, token: string): void {
    const watch = { path, absolute: watchable(this.#domid, path), token };
    if (this.#indexOf(path, token) >= 0) {
      throw new HypervisorError('EEXIST', `${path} is watched with the token '${token}' already`);
    }
    if (this.#watches.length >= this.#watchesMax) {
      const message = `domain ${this.#domid} has ${this.#watchesMax} watches (xenstoreWatchesMax)`;
      throw new HypervisorError('E2BIG', message, 'end watches that are not needed, or raise the limit');
    }
    this.#watches.push(watch);
    this.#events.push({ watch, path });
  }

  remove(path: string, token: string): void {
    const index = this.#indexOf(path, token);
    if (index < 0) throw new HypervisorError('ENOENT', `${path} is not watched with the token '${token}'`);
    const [watch] = this.#watches.splice(index, 1);
    this.#drop(watch);
  }

  /** Queues the events of a change; the replica is at that change. */
  fire(path: string, exact: boolean): void {
    for (const watch of this.#watches) {
      if (!(exact ? path === watch.absolute : isWithin(path, watch.absolute))) continue;
      if (this.#mayRead(path)) this.#queue(watch, this.#named(watch, path));
    }
  }

  take(): WatchEvent | undefined {
    const event = this.#events.shift();
    return event && { path: event.path, token: event.watch.token };
  }

  /** One event is enough for what was not looked at yet; and one of the watched path for what is too much. */
  #queue(watch: Watch, path: string): void {
    const isQueued = (at: string): boolean => this.#events.some((event) => event.watch === watch && event.path === at);
    if (isQueued(path)) return;
    if (this.#events.length < XENSTORE_WATCH_EVENTS_MAX) {
      this.#events.push({ watch, path });
      return;
    }
    this.#drop(watch);
    this.#events.push({ watch, path: watch.path });
  }

  #drop(watch: Watch): void {
    let kept = 0;
    for (const event of this.#events) if (event.watch !== watch) this.#events[kept++] = event;
    this.#events.length = kept;
  }

  /** Events of a relative watch have relative paths. */
  #named(watch: Watch, path: string): string {
    return watch.path === watch.absolute ? path : path.slice(domainPath(this.#domid).length + 1);
  }

  #mayRead(path: string): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const node = this.#replica.get(at);
      if (node !== undefined) return permits(node.permissions, this.#domid, 'r');
    }
    return this.#domid === DOM0;
  }

  #indexOf(path: string, token: string): number {
    return this.#watches.findIndex((watch) => watch.path === path && watch.token === token);
  }
}
