/** Thread domains and parent domains. */
import { assertOp, callOp } from './call-op.ts';
import { checkInstance } from './check.ts';
import type { Context } from './context.ts';
import { invalid } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { ProtectionDomain } from './protection-domain.ts';

const VERB = 'ibv_alloc_parent_domain';

/**
 * A thread domain (`struct ibv_td`), from `context.allocTd`: says that one thread uses what is made with it, so that a provider
 * need not lock. Here objects belong to one thread anyway. Source: `ibv_alloc_td`(3).
 */
export class ThreadDomain extends VerbsObject {
  /** The context that made it. */
  readonly context: Context;
  /** The provider's number of it. */
  readonly handle: number;

  /** @internal */
  constructor(context: Context) {
    const verb = 'ibv_alloc_td';
    context.assertLive(verb);
    const handle = callOp(context, verb, 'allocTd');
    super([context]);
    this.context = context;
    this.handle = handle;
  }

  /** What messages call it. */
  get label(): string {
    return `TD ${this.handle}`;
  }

  /** Ends it. Throws EBUSY while parent domains name it. Source: `ibv_dealloc_td`(3). */
  dealloc(): void {
    this.endStrictly('ibv_dealloc_td');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dealloc_td', 'deallocTd', this.handle);
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('ThreadDomain', { handle: this.handle });
  }
}

/** How to make a parent domain (`struct ibv_parent_domain_init_attr`). Allocators of the application's own are left out. */
export interface ParentDomainInitAttr {
  /** The protection domain that it stands for. */
  readonly pd: ProtectionDomain;
  /** The thread domain of what is made with it. */
  readonly td?: ThreadDomain | null;
  /** The application's own; comes back as `pd.pdContext`. */
  readonly pdContext?: unknown;
}

const INIT_KEYS = literalKeys<ParentDomainInitAttr>({ pd: true, td: true, pdContext: true });

/**
 * A parent domain, from `context.allocParentDomain`: a protection domain with a thread domain. It stands for the protection domain
 * that it was made of wherever that is taken: what is made in it belongs to the same domain, so keys of the one work in queue pairs
 * of the other. Source: `ibv_alloc_parent_domain`(3).
 */
export class ParentDomain extends ProtectionDomain {
  /** The protection domain that it stands for. */
  readonly parent: ProtectionDomain;
  /** The thread domain, or null. */
  readonly td: ThreadDomain | null;
  /** The application's own. */
  readonly pdContext: unknown;

  /** @internal */
  constructor(context: Context, init: ParentDomainInitAttr) {
    context.assertLive(VERB);
    assertOp(context, VERB, 'allocParentDomain');
    checkLiteral(VERB, 'init', init, INIT_KEYS);
    const { pd, td = null, pdContext } = init;
    checkInstance(VERB, 'pd', pd, ProtectionDomain);
    if (pd instanceof ParentDomain) {
      throw invalid(
        VERB,
        `pd is ${pd.label}, a parent domain itself`,
        'give the protection domain that it was made of',
      );
    }
    if (td !== null) checkInstance(VERB, 'td', td, ThreadDomain);
    for (const object of td === null ? [pd] : [pd, td]) {
      object.assertLive(VERB);
      if (object.context !== context) throw invalid(VERB, `${object.label} is of another context`);
    }
    super(
      context,
      callOp(context, VERB, 'allocParentDomain', pd.handle, td?.handle ?? null),
      td === null ? [pd] : [pd, td],
    );
    this.parent = pd;
    this.td = td;
    this.pdContext = pdContext;
  }

  /** @internal */
  override get domain(): ProtectionDomain {
    return this.parent;
  }

  /** What messages call it. */
  override get label(): string {
    return `parent domain of ${this.parent.label}`;
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dealloc_pd', 'deallocParentDomain', this.handle);
  }

  /** @internal */
  override [inspectCustom](): string {
    return inspectLine('ParentDomain', { handle: this.handle, td: this.td?.label ?? null });
  }
}
