/** The ports that a handle of a domain has bound. */
import { HypervisorError } from '../errors.ts';
import type { EventChannels, WaitOptions } from '../event-channels.ts';
import { isDomid } from '../limits.ts';
import type { DomainAccess } from './domain-access.ts';
import { DomainRecord } from './layout.ts';
import * as ports from './ports.ts';

export class EmulatedEventChannels implements EventChannels {
  readonly #access: DomainAccess;
  readonly #bound: number[] = [];
  /** Where the next look begins, so that a busy port does not hide the others. */
  #next = 0;

  constructor(access: DomainAccess) {
    this.#access = access;
  }

  allocUnbound(remoteDomid: number): number {
    if (!isDomid(remoteDomid)) {
      throw new HypervisorError('EINVAL', `${remoteDomid} is no domain that can bind to a port`);
    }
    const access = this.#access;
    return this.#add(access.locked(() => ports.allocUnbound(access.tables, access.slot, remoteDomid)));
  }

  bindInterdomain(remoteDomid: number, remotePort: number): number {
    const access = this.#access;
    const { tables, slot } = access;
    return this.#add(access.locked(() => ports.bindInterdomain(tables, slot, tables.running(remoteDomid), remotePort)));
  }

  notify(port: number): void {
    this.#check(port);
    ports.notify(this.#access.tables, this.#access.slot, port);
  }

  mask(port: number): void {
    this.#check(port);
    ports.mask(this.#access.tables, this.#access.slot, port);
  }

  unmask(port: number): void {
    this.#check(port);
    ports.unmask(this.#access.tables, this.#access.slot, port);
  }

  isPending(port: number): boolean {
    this.#check(port);
    return ports.isPending(this.#access.tables, this.#access.slot, port);
  }

  close(port: number): void {
    this.#check(port);
    const access = this.#access;
    this.#bound.splice(this.#bound.indexOf(port), 1);
    access.locked(() => {
      ports.closePort(access.tables, access.slot, port);
    });
  }

  take(): number {
    this.#access.check();
    const bound = this.#bound;
    for (let turn = 0; turn < bound.length; turn++) {
      const position = (this.#next + turn) % bound.length;
      if (!ports.take(this.#access.tables, this.#access.slot, bound[position])) continue;
      this.#next = position + 1;
      return bound[position];
    }
    return 0;
  }

  wait(deadlineNs: number): number {
    return this.#access.wait(
      () => this.take() || undefined,
      deadlineNs,
      () => `an event of domain ${this.#access.domid} at the ports ${this.#bound.join(', ') || '(none)'}`,
    );
  }

  waitAsync(options: WaitOptions = {}): Promise<number> {
    const { slot } = this.#access;
    return this.#access.waitAsync(() => this.take() || undefined, slot.record + DomainRecord.UPCALL, options);
  }

  /** Closes all ports of this handle. */
  closeAll(): void {
    const access = this.#access;
    access.tables.locked(() => {
      if (access.tables.find(access.domid) !== access.slot) return;
      for (const port of this.#bound) ports.closePort(access.tables, access.slot, port);
    });
    this.#bound.length = 0;
  }

  #add(port: number): number {
    this.#bound.push(port);
    return port;
  }

  #check(port: number): void {
    this.#access.check();
    if (this.#bound.includes(port)) return;
    const message = `port ${port} of domain ${this.#access.domid} was not bound by this handle`;
    throw new HypervisorError('EINVAL', message);
  }
}
