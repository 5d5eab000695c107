/** A domain's connection to xenstore. */
import { HypervisorError } from '../../errors.ts';
import type { WaitOptions } from '../../event-channels.ts';
import { DOM0 } from '../../limits.ts';
import type { TransactionId, WatchEvent, Xenstore, XenstorePermission } from '../../xenstore.ts';
import type { DomainAccess } from '../domain-access.ts';
import { Changes } from './changes.ts';
import type { StoreLog } from './log.ts';
import * as operations from './operations.ts';
import { absolute } from './paths.ts';
import { checkPermissions } from './permissions.ts';
import { Watches } from './watches.ts';

/** Attempts of {@link Xenstore.transaction}. */
const TRANSACTION_ATTEMPTS_MAX = 8;

export class XenstoreConnection implements Xenstore {
  readonly #access: DomainAccess;
  readonly #domid: number;
  readonly #log: StoreLog;
  readonly #watches: Watches;
  readonly #transactions = new Map<TransactionId, Changes>();
  #transactionsStarted = 0;
  readonly #fire: (path: string, exact: boolean) => void;

  constructor(access: DomainAccess, log: StoreLog) {
    this.#access = access;
    this.#domid = access.domid;
    this.#log = log;
    log.sync();
    this.#watches = new Watches(access.domid, log.replica, access.tables.limits.xenstoreWatchesMax);
    this.#fire = (path, exact) => {
      this.#watches.fire(path, exact);
    };
    log.listeners.add(this.#fire);
  }

  read(path: string, transaction?: TransactionId): string {
    return this.#run(transaction, (changes) => this.#existing(changes, path).value);
  }

  tryRead(path: string, transaction?: TransactionId): string | undefined {
    return ifReadable(() => this.read(path, transaction));
  }

  write(path: string, value: string, transaction?: TransactionId): void {
    const at = absolute(this.#domid, path);
    this.#change(transaction, (changes) => {
      operations.write(changes, this.#domid, at, value, this.#access.tables.limits);
    });
  }

  mkdir(path: string, transaction?: TransactionId): void {
    const at = absolute(this.#domid, path);
    this.#change(transaction, (changes) => {
      operations.write(changes, this.#domid, at, undefined, this.#access.tables.limits);
    });
  }

  rm(path: string, transaction?: TransactionId): void {
    const at = absolute(this.#domid, path);
    this.#change(transaction, (changes) => {
      operations.remove(changes, this.#domid, at);
    });
  }

  directory(path: string, transaction?: TransactionId): string[] {
    return this.#run(transaction, (changes) => [...this.#existing(changes, path).children].sort());
  }

  tryDirectory(path: string, transaction?: TransactionId): string[] | undefined {
    return ifReadable(() => this.directory(path, transaction));
  }

  getPermissions(path: string, transaction?: TransactionId): XenstorePermission[] {
    return this.#run(transaction, (changes) => [...this.#existing(changes, path).permissions]);
  }

  setPermissions(path: string, permissions: readonly XenstorePermission[], transaction?: TransactionId): void {
    const at = absolute(this.#domid, path);
    const list = checkPermissions(permissions);
    this.#change(transaction, (changes) => {
      operations.setPermissions(changes, this.#domid, at, list, this.#access.tables.limits);
    });
  }

  watch(path: string, token: string): void {
    this.#access.check();
    this.#log.sync();
    this.#watches.add(path, token);
  }

  unwatch(path: string, token: string): void {
    this.#access.check();
    this.#watches.remove(path, token);
  }

  checkWatch(): WatchEvent | undefined {
    this.#access.check();
    this.#log.sync();
    return this.#watches.take();
  }

  readWatch(deadlineNs: number): WatchEvent {
    return this.#access.wait(
      () => this.checkWatch(),
      deadlineNs,
      () => `an event of xenstore for domain ${this.#domid}`,
    );
  }

  readWatchAsync(options: WaitOptions = {}): Promise<WatchEvent> {
    return this.#access.waitAsync(() => this.checkWatch(), this.#log.word, options);
  }

  transactionStart(): TransactionId {
    this.#access.check();
    const max = this.#access.tables.limits.xenstoreTransactionsMax;
    if (this.#domid !== DOM0 && this.#transactions.size >= max) {
      const message = `domain ${this.#domid} has ${max} transactions open (xenstoreTransactionsMax)`;
      throw new HypervisorError('ENOSPC', message, 'end transactions first');
    }
    this.#log.sync();
    const id = ++this.#transactionsStarted;
    this.#transactions.set(id, new Changes(this.#log.replica));
    return id;
  }

  transactionEnd(transaction: TransactionId, abort = false): void {
    this.#access.check();
    const changes = this.#open(transaction);
    this.#transactions.delete(transaction);
    if (abort) return;
    this.#log.update(() => {
      if (!changes.valid) {
        const hint = 'begin again: others changed what the transaction had read or written';
        throw new HypervisorError('EAGAIN', `transaction ${transaction} of domain ${this.#domid} was overtaken`, hint);
      }
      this.#commit(changes);
    });
  }

  transaction<T>(body: (transaction: TransactionId) => T): T {
    for (let attempt = 1; ; attempt++) {
      const transaction = this.transactionStart();
      let result: T;
      try {
        result = body(transaction);
      } catch (error) {
        if (this.#transactions.has(transaction)) this.transactionEnd(transaction, true);
        throw error;
      }
      try {
        this.transactionEnd(transaction);
        return result;
      } catch (error) {
        const again = error instanceof HypervisorError && error.code === 'EAGAIN';
        if (!again || attempt === TRANSACTION_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Closes the connection. Its watches and transactions go with it: no call of a handle that is closed comes to them. */
  close(): void {
    this.#log.listeners.delete(this.#fire);
  }

  #existing(changes: Changes, path: string): ReturnType<typeof operations.existing> {
    return operations.existing(changes, this.#domid, absolute(this.#domid, path), 'r');
  }

  /** Reads: in a transaction what it sees, else the newest. */
  #run<T>(transaction: TransactionId | undefined, step: (changes: Changes) => T): T {
    this.#access.check();
    this.#log.sync();
    return step(transaction ? this.#open(transaction) : new Changes(this.#log.replica));
  }

  #change(transaction: TransactionId | undefined, step: (changes: Changes) => void): void {
    this.#access.check();
    if (transaction) {
      // A refused call changes nothing, in a transaction too.
      const changes = this.#open(transaction).copy();
      step(changes);
      this.#transactions.set(transaction, changes);
      return;
    }
    this.#log.update(() => {
      const changes = new Changes(this.#log.replica);
      step(changes);
      this.#commit(changes);
    });
  }

  #commit(changes: Changes): void {
    changes.checkQuota(this.#domid, this.#access.tables.limits);
    this.#log.append(changes.records(), this.#domid);
  }

  #open(transaction: TransactionId): Changes {
    const changes = this.#transactions.get(transaction);
    if (changes !== undefined) return changes;
    throw new HypervisorError('ENOENT', `domain ${this.#domid} has no transaction ${transaction} open`);
  }
}

/** What a node tells; undefined when it is not there or may not be read. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof HypervisorError && (error.code === 'ENOENT' || error.code === 'EACCES')) return undefined;
    throw error;
  }
}
