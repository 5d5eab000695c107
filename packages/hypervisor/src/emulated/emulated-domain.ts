/** A handle of a domain. */
import type { Domain } from '../hypervisor.ts';
import type { DomainAccess } from './domain-access.ts';
import { EmulatedEventChannels } from './domain-event-channels.ts';
import { EmulatedGrantTable } from './domain-grant-table.ts';
import { EmulatedMemory } from './domain-memory.ts';
import { XenstoreConnection } from './xenstore/connection.ts';
import type { StoreLog } from './xenstore/log.ts';

export class EmulatedDomain implements Domain {
  readonly domid: number;
  readonly memory: EmulatedMemory;
  readonly grantTable: EmulatedGrantTable;
  readonly eventChannels: EmulatedEventChannels;
  readonly xenstore: XenstoreConnection;
  readonly #access: DomainAccess;
  readonly #onClose: () => void;
  #closed = false;

  constructor(access: DomainAccess, log: StoreLog, onClose: () => void) {
    this.#access = access;
    this.domid = access.domid;
    this.memory = new EmulatedMemory(access);
    this.grantTable = new EmulatedGrantTable(access, this.memory);
    this.eventChannels = new EmulatedEventChannels(access);
    this.xenstore = new XenstoreConnection(access, log);
    this.#onClose = onClose;
  }

  get alive(): boolean {
    return this.#access.alive;
  }

  waitUntil(
    condition: () => boolean,
    deadlineNs: number,
    describe = (): string => 'a condition',
    parkMsMax?: number,
  ): void {
    this.#access.wait(
      () => condition() || undefined,
      deadlineNs,
      () => `${describe()} (domain ${this.domid})`,
      parkMsMax,
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.memory.close();
    this.grantTable.close();
    this.eventChannels.closeAll();
    this.xenstore.close();
    this.#access.close();
    this.#onClose();
  }
}
