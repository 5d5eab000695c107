/**
 * What a transaction has read and changed. A call without a transaction is one by itself, made and committed under the lock.
 *
 * As in xenstored, a transaction fails when a node that it read or wrote was changed by others meanwhile, be it by a new child; and a
 * node that it found missing counts as read.
 */
import { HypervisorError } from '../../errors.ts';
import { DOM0 } from '../../limits.ts';
import type { HypervisorLimits } from '../../limits.ts';
import type { XenstorePermission } from '../../xenstore.ts';
import { childOf, parentOf } from './paths.ts';
import { bytesOf, NO_CHILDREN, withChild } from './replica.ts';
import type { Replica, StoreNode, StoreRecord } from './replica.ts';

export class Changes {
  readonly #replica: Replica;
  /** Each node as it was at the first look at it. */
  #seen = new Map<string, StoreNode | undefined>();
  /** What nodes have become. */
  #nodes = new Map<string, StoreNode | undefined>();
  /** Nodes whose value or permissions were written. */
  #written = new Set<string>();
  #fires: ['f', path: string, exact: boolean][] = [];

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  get(path: string): StoreNode | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    if (!this.#seen.has(path)) this.#seen.set(path, this.#replica.get(path));
    return this.#seen.get(path);
  }

  /** The same again, to go on from without changing this one. What it looks at counts for both, for a refused call has looked too. */
  copy(): Changes {
    const copy = new Changes(this.#replica);
    copy.#seen = this.#seen;
    copy.#nodes = new Map(this.#nodes);
    copy.#written = new Set(this.#written);
    copy.#fires = [...this.#fires];
    return copy;
  }

  put(path: string, value: string, permissions: readonly XenstorePermission[]): void {
    const before = this.get(path);
    this.#nodes.set(path, { value, permissions, children: before?.children ?? NO_CHILDREN, generation: 0 });
    this.#written.add(path);
    if (before === undefined) this.#setChild(path, true);
  }

  /** Deletes a node and all below; watches on each of them fire. */
  delete(path: string, exact = false): void {
    const node = this.get(path);
    if (node === undefined) return;
    this.fire(path, exact);
    for (const name of node.children) this.delete(childOf(path, name), true);
    this.#nodes.set(path, undefined);
    this.#written.delete(path);
    if (!exact) this.#setChild(path, false);
  }

  fire(path: string, exact = false): void {
    this.#fires.push(['f', path, exact]);
  }

  /** Nodes, and bytes of them, that a domain will own more than it does. */
  ownedMore(domid: number): { readonly nodes: number; readonly bytes: number } {
    let [nodes, bytes] = [0, 0];
    for (const [path, after] of this.#nodes) {
      const before = this.#replica.get(path);
      if (after?.permissions[0].domid === domid) {
        nodes++;
        bytes += bytesOf(path, after);
      }
      if (before?.permissions[0].domid === domid) {
        nodes--;
        bytes -= bytesOf(path, before);
      }
    }
    return { nodes, bytes };
  }

  /** Whether nothing that was looked at has changed. */
  get valid(): boolean {
    for (const [path, node] of this.#seen) {
      if (this.#replica.get(path)?.generation !== node?.generation) return false;
    }
    return true;
  }

  /** @throws HypervisorError `ENOSPC` when a guest will own too many nodes, `ENOMEM` when they will be too large: xenstored's codes */
  checkQuota(domid: number, { xenstoreNodesMax, xenstoreMemoryBytesMax }: HypervisorLimits): void {
    if (domid === DOM0) return;
    const more = this.ownedMore(domid);
    const { nodes, bytes } = this.#replica.ownedBy(domid);
    const hint = 'remove nodes, or raise the limit';
    if (more.nodes > 0 && nodes + more.nodes > xenstoreNodesMax) {
      const message = `domain ${domid} may own ${xenstoreNodesMax} nodes of xenstore (xenstoreNodesMax)`;
      throw new HypervisorError('ENOSPC', message, hint);
    }
    if (more.bytes > 0 && bytes + more.bytes > xenstoreMemoryBytesMax) {
      const message = `the nodes of domain ${domid} may take ${xenstoreMemoryBytesMax} bytes of xenstore (xenstoreMemoryBytesMax)`;
      throw new HypervisorError('ENOMEM', message, hint);
    }
  }

  /** The changes as records: what fires for deleted nodes goes first, while it can be seen who could read them. */
  records(): StoreRecord[] {
    const gone = [...this.#nodes.keys()].filter((path) => this.#nodes.get(path) === undefined);
    const deleted = gone.filter((path) => this.#replica.get(path) !== undefined);
    const recreated = [...this.#written].filter((path) => this.#nodes.get(path) !== undefined);
    // Parents before children.
    recreated.sort((a, b) => a.length - b.length);
    // All that fires was changed.
    const isGone = (path: string): boolean => this.#nodes.get(path) === undefined;
    return [
      ...this.#fires.filter(([, path]) => isGone(path)),
      ...deleted.map((path) => ['d', path] as const),
      ...recreated.map((path) => this.#writeRecord(path)),
      ...this.#fires.filter(([, path]) => !isGone(path)),
    ];
  }

  #writeRecord(path: string): StoreRecord {
    const { value, permissions } = this.#nodes.get(path) as StoreNode;
    return ['w', path, value, permissions];
  }

  #setChild(path: string, present: boolean): void {
    const parentPath = parentOf(path);
    const parent = this.get(parentPath);
    if (parent === undefined) return;
    this.#nodes.set(parentPath, { ...parent, children: withChild(parent, path, present) });
  }
}
