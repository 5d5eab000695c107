/**
 * Automatic path migration (IBTA 17.2.8): a connection has an alternate path and goes over to it, when a program says so or when
 * the primary one gives no answer. Both ends go: the other one as soon as a message comes over its own alternate path. An end that
 * can't go has the event PATH_MIG_ERR: the retries have run out and the alternate path is of no use, or the other end asks to go
 * where this one is not ready to follow (man ibv_get_async_event).
 *
 * Loaded, the path is in state MIGRATED still. REARM says that it may be armed; once both ends are there, they are ARMED. From
 * there the path migrates, which is MIGRATED again: then there is no alternate path until one is loaded.
 */
import { portId } from '@openverbs/netdev';
import { AsyncEvent } from './async-event.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { AltPath, HcaHeader, MigState, Qpc, QpcState } from './layout.ts';
import type { AddressVector } from './modify-qp.ts';
import { isPartition, pkeysMatch, servicePkey } from './pkey.ts';
import { isPortUp, packAddressVector, resolvePeer } from './resolve-peer.ts';

const { MIGRATED, REARM, ARMED } = MigState;
const { ALT_AV, ALT_PORT, ALT_STATE, AV_DGID, AV_GRH, MIG_REFUSED, PATH_MIG_STATE } = Qpc;
/** Words of an address vector. */
const AV_WORDS = Qpc.AV_PORT + 1 - AV_DGID;

/** An alternate path, as a modify loads it. */
export interface AlternatePath {
  readonly av: AddressVector;
  readonly pkeyIndex: number;
  readonly portNum: number;
  readonly timeout: number;
}

export class PathMigration {
  readonly #engine: Engine;
  readonly #i32: Int32Array;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#i32 = engine.machine.i32;
  }

  /** Refuses what {@link PathMigration.change} could not do, before anything is changed. */
  check(hca: Hca, q: number, alternate: AlternatePath | undefined, state: number | undefined): void {
    if (alternate !== undefined) {
      hca.checkPort(alternate.portNum);
      hca.checkPkeyIndex(alternate.portNum, alternate.pkeyIndex);
      if (alternate.av.dgid !== null) hca.checkGidIndex(alternate.portNum, alternate.av.sgidIndex);
    }
    if (state === undefined || state === MIGRATED) return;
    if (alternate === undefined && this.#i32[q + ALT_STATE] !== AltPath.LOADED) {
      const hint = 'give the four alt attributes, before or together with it';
      throw new DeviceError('EINVAL', 'there is no alternate path that could be armed', hint);
    }
    if (state === REARM || this.#i32[q + PATH_MIG_STATE] !== MIGRATED) return;
    throw new DeviceError('EINVAL', 'a path is armed by way of REARM', 'set pathMigState to REARM at both ends');
  }

  /** Loads an alternate path and goes to a migration state, each if it is given. */
  change(q: number, alternate: AlternatePath | undefined, state: number | undefined): void {
    const i32 = this.#i32;
    if (alternate !== undefined) {
      packAddressVector(this.#engine, q + ALT_AV, alternate.av);
      i32[q + Qpc.ALT_PKEY_INDEX] = alternate.pkeyIndex;
      i32[q + ALT_PORT] = alternate.portNum;
      i32[q + Qpc.ALT_TIMEOUT] = alternate.timeout;
      i32[q + ALT_STATE] = AltPath.LOADED;
      i32[q + MIG_REFUSED] = 0;
    }
    if (state === undefined) return;
    i32[q + MIG_REFUSED] = 0;
    if (state === MIGRATED && i32[q + PATH_MIG_STATE] === ARMED) {
      this.#migrate(q);
      return;
    }
    i32[q + PATH_MIG_STATE] = state;
    if (state === REARM) this.#arm(q);
  }

  /** The retries of the QP at `q` have run out. True when it goes on over the other path. */
  onFailure(q: number): boolean {
    if (this.#i32[q + PATH_MIG_STATE] !== ARMED) return false;
    const isUsable = this.#isUsable(q);
    if (isUsable) this.#migrate(q);
    else this.#refuse(q);
    return isUsable;
  }

  /** A message of the QP at `q` came to the one at `p` by a path that is not its own. True when `p` takes it, and that path. */
  follow(q: number, p: number): boolean {
    const i32 = this.#i32;
    const state = i32[p + Qpc.STATE];
    if (i32[p + Qpc.QPN] !== i32[q + Qpc.DEST_QPN] || state < QpcState.RTR || state >= QpcState.ERR) return false;
    if (i32[q + PATH_MIG_STATE] !== MIGRATED) return false;
    return this.followTo(p, i32[q + Qpc.REMOTE_PORT_ID], i32[q + Qpc.LOCAL_PORT_ID], i32[q + Qpc.SERVICE_PKEY]);
  }

  /** The same for a message from address `remote` to `local` whose sender has migrated, if that is the alternate path and it is armed. */
  followTo(p: number, local: number, remote: number, pkey: number): boolean {
    const isArmed = this.#i32[p + PATH_MIG_STATE] === ARMED;
    const hca = this.#hca(p);
    if (isArmed && this.#localPortId(hca, p) === local && this.#remotePortId(p) === remote) {
      if (pkeysMatch(this.#alternatePkey(hca, p), pkey)) {
        this.#migrate(p);
        return true;
      }
    }
    this.#refuse(p);
    return false;
  }

  /** Ends what a thread had begun that died. */
  recover(q: number): void {
    if (this.#i32[q + ALT_STATE] === AltPath.MIGRATING) this.#migrate(q);
  }

  /** The alternate path becomes the primary one. All of it may be done twice, up to the last word. */
  #migrate(q: number): void {
    const i32 = this.#i32;
    i32[q + ALT_STATE] = AltPath.MIGRATING;
    i32.copyWithin(q + AV_DGID, q + ALT_AV, q + ALT_AV + AV_WORDS);
    i32[q + Qpc.PORT] = i32[q + ALT_PORT];
    i32[q + Qpc.PKEY_INDEX] = i32[q + Qpc.ALT_PKEY_INDEX];
    i32[q + Qpc.TIMEOUT] = i32[q + Qpc.ALT_TIMEOUT];
    // What the old path has lost says nothing of the new one.
    i32[q + Qpc.RETRIES_LEFT] = i32[q + Qpc.RETRY_CNT];
    const hca = this.#hca(q);
    i32[q + Qpc.SERVICE_PKEY] = servicePkey(i32[q + Qpc.TYPE], hca.pkey(i32[q + Qpc.PORT], i32[q + Qpc.PKEY_INDEX]));
    resolvePeer(this.#engine, hca, q);
    this.#engine.events.raiseQp(q, AsyncEvent.PATH_MIG);
    i32[q + PATH_MIG_STATE] = MIGRATED;
    i32[q + ALT_STATE] = AltPath.NONE;
  }

  /**
   * The QP at `q` should migrate and can't: the program is told of it, once for each path that it loads or arms. One without an
   * alternate path has nothing to do with migration: what came to it is a stray message.
   */
  #refuse(q: number): void {
    const i32 = this.#i32;
    if (i32[q + ALT_STATE] !== AltPath.LOADED || i32[q + MIG_REFUSED] !== 0) return;
    this.#engine.events.raiseQp(q, AsyncEvent.PATH_MIG_ERR);
    i32[q + MIG_REFUSED] = 1;
  }

  /** Whether something could be sent over the alternate path of the QP at `q`, as far as this end knows. */
  #isUsable(q: number): boolean {
    const hca = this.#hca(q);
    if (!isPortUp(this.#i32, hca.header, this.#i32[q + ALT_PORT])) return false;
    return this.#remotePortId(q) >= 0 && isPartition(this.#alternatePkey(hca, q));
  }

  #localPortId({ index }: Hca, q: number): number {
    return portId(index, this.#i32[q + ALT_PORT], this.#i32[q + ALT_AV + AV_GRH - AV_DGID] & 0xff);
  }

  /** Who has the address that the alternate path leads to; negative for nobody. */
  #remotePortId(q: number): number {
    return this.#engine.link.lookupAddress(this.#i32.subarray(q + ALT_AV, q + ALT_AV + 4));
  }

  #alternatePkey(hca: Hca, q: number): number {
    return hca.pkey(this.#i32[q + ALT_PORT], this.#i32[q + Qpc.ALT_PKEY_INDEX]);
  }

  /** Both ends in REARM are armed. */
  #arm(q: number): void {
    const i32 = this.#i32;
    const p = i32[q + Qpc.PEER];
    if (p === 0 || i32[p + Qpc.PEER] !== q || i32[p + Qpc.QPN] !== i32[q + Qpc.DEST_QPN]) return;
    if (i32[p + Qpc.DEST_QPN] !== i32[q + Qpc.QPN] || i32[p + PATH_MIG_STATE] === MIGRATED) return;
    i32[p + PATH_MIG_STATE] = i32[q + PATH_MIG_STATE] = ARMED;
  }

  #hca(q: number): Hca {
    return this.#engine.hcas[this.#i32[this.#i32[q + Qpc.HCA] + HcaHeader.INDEX]];
  }
}
