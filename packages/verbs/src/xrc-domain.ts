/** XRC domains. */
import { assertCapability } from './assert-capability.ts';
import { callOp } from './call-op.ts';
import { checkInteger, U32_MAX } from './check.ts';
import type { Context } from './context.ts';
import type { QpOpenAttr } from './attributes/qp.ts';
import { createXrcRecvQp, openXrcRecvQp } from './create-qp.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { QueuePair } from './queue-pair.ts';

/** How to open an XRC domain (`struct ibv_xrcd_init_attr`). */
export interface XrcdInitAttr {
  /** An open file, whose inode is the domain's name for others; -1 for a domain that nobody else finds. */
  readonly fd?: number;
  /**
   * As of `open`(2): with `O_CREAT` the domain is made when there is none, with `O_EXCL` it must not be there. `O_CREAT` unless
   * said.
   */
  readonly oflags?: number;
}

const XRCD_KEYS = literalKeys<XrcdInitAttr>({ fd: true, oflags: true });
const QP_KEYS = literalKeys<{ qpContext: unknown }>({ qpContext: true });

/** `O_CREAT` of Linux, whatever the host is: these flags go to the device. */
const XRCD_O_CREAT = 0o100;

/**
 * An XRC domain (`struct ibv_xrcd`), from `context.openXrcd`: messages to its XRC_RECV queue pairs name the shared receive queue that
 * they are for, which must be of the same domain. So one connection serves all receivers of a node.
 *
 * @example
 * ```ts
 * import { QpType, SrqType, type CompletionQueue, type Context, type ProtectionDomain, type QpEndpoint } from '@openverbs/verbs';
 *
 * function receiver(context: Context, pd: ProtectionDomain, cq: CompletionQueue, remote: QpEndpoint): number {
 *   const xrcd = context.openXrcd();
 *   const srq = pd.createSrq({ attr: { maxWr: 16 }, srqType: SrqType.XRC, xrcd, cq });
 *   xrcd.createQp().toRts(remote);
 *   return srq.srqNum; // what the sender names: qp.postSend({ remoteSrqn, … }) on a queue pair of QpType.XRC_SEND
 * }
 * ```
 */
export class XrcDomain extends VerbsObject {
  /** The context that opened it. */
  readonly context: Context;
  /** The provider's number of it. */
  readonly handle: number;

  /** @internal */
  constructor(context: Context, handle: number) {
    super([context]);
    this.context = context;
    this.handle = handle;
  }

  /** What messages call it. */
  get label(): string {
    return `XRC domain ${this.handle}`;
  }

  /**
   * Makes a queue pair of the type XRC_RECV. It has no queues of its own, no completion queues and no protection domain: the shared
   * receive queue that a message names has them. Source: `ibv_create_qp_ex`(3).
   */
  createQp(init: { readonly qpContext?: unknown } = {}): QueuePair {
    checkLiteral('ibv_create_qp_ex', 'init', init, QP_KEYS);
    return createXrcRecvQp(this, init.qpContext);
  }

  /**
   * Opens a queue pair of the type XRC_RECV that somebody made in this domain, in this context or in another one of the device. It gets
   * the events of the queue pair, and may modify, query and destroy it; the queue pair ends with the last who has it open.
   *
   * Throws EINVAL when the domain has none of this number. Source: `ibv_open_qp`(3).
   */
  openQp(attr: QpOpenAttr): QueuePair {
    return openXrcRecvQp(this, attr);
  }

  /** Ends it. Throws EBUSY while objects of it live. Source: `ibv_close_xrcd`(3). */
  close(): void {
    this.endStrictly('ibv_close_xrcd');
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('XrcDomain', { handle: this.handle });
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_close_xrcd', 'closeXrcd', this.handle);
  }
}

/** See `Context.openXrcd`. */
export function openXrcDomain(context: Context, init: XrcdInitAttr): XrcDomain {
  const verb = 'ibv_open_xrcd';
  context.assertLive(verb);
  assertCapability(context, verb, 'xrc', 'use a shared receive queue and RC queue pairs', 'XRC domains');
  checkLiteral(verb, 'init', init, XRCD_KEYS);
  const { fd = -1, oflags = XRCD_O_CREAT } = init;
  checkInteger(verb, 'fd', fd, -1, U32_MAX);
  checkInteger(verb, 'oflags', oflags, 0, U32_MAX);
  return new XrcDomain(context, callOp(context, verb, 'openXrcd', fd, oflags));
}
