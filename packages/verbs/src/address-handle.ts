/** Address handles. */
import type { AhAttr } from './attributes/address.ts';
import { callOp } from './call-op.ts';
import type { Context } from './context.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import type { ProtectionDomain } from './protection-domain.ts';

/** An address handle (`struct ibv_ah`), from `pd.createAh`: the way to a peer, for the work requests of UD queue pairs. */
export class AddressHandle extends VerbsObject {
  /** The protection domain. */
  readonly pd: ProtectionDomain;
  /** What a queue pair that uses it is in, itself or by a parent domain. @internal */
  readonly domain: ProtectionDomain;
  /** The context that made it. */
  readonly context: Context;
  /** The provider's number of it, as in C's `handle`; what WQEs name. */
  readonly handle: number;
  /** What it was made of. */
  readonly attr: AhAttr;

  /** @internal */
  constructor(pd: ProtectionDomain, handle: number, attr: AhAttr) {
    super([pd]);
    this.pd = pd;
    this.domain = pd.domain;
    this.context = pd.context;
    this.handle = handle;
    this.attr = attr;
  }

  /** What messages call it. */
  get label(): string {
    return `AH ${this.handle}`;
  }

  /** Ends it. Work requests that name it must be complete. Source: `ibv_destroy_ah`(3). */
  destroy(): void {
    this.endStrictly('ibv_destroy_ah');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_destroy_ah', 'destroyAh', this.handle);
  }

  /** @internal */
  [inspectCustom](): string {
    const { grh, dlid, portNum } = this.attr;
    return inspectLine('AddressHandle', { handle: this.handle, to: grh?.dgid ?? `LID ${dlid}`, portNum });
  }
}
