/**
 * What a transaction has read and changed. A call without a transaction is one by itself, made and committed under the lock.
 *
 * As in xenstored, a transaction fails when a node that it read or wrote was changed by others meanwhile, be it by a new child; and a
 * node that it found missing counts as read.
 */
import { HypervisorError } from '../../errors.ts';
import { DOM0 } from '../../limits.ts';
import type { XenstorePermission } from '../../xenstore.ts';
import { childOf, nameOf, parentOf } from './paths.ts';
import type { Replica, StoreNode, StoreRecord } from './replica.ts';

const NO_CHILDREN: ReadonlySet<string> = new Set();

export class Changes {
  private readonly replica: Replica;
  /** Each node as it was at the first look at it. */
  private seen = new Map<string, StoreNode | undefined>();
  /** What nodes have become. */
  private nodes = new Map<string, StoreNode | undefined>();
  /** Nodes whose value or permissions were written. */
  private written = new Set<string>();
  private fires: ['f', path: string, exact: boolean][] = [];

  constructor(replica: Replica) {
    this.replica = replica;
  }

  get(path: string): StoreNode | undefined {
    if (this.nodes.has(path)) return this.nodes.get(path);
    if (!this.seen.has(path)) this.seen.set(path, this.replica.get(path));
    return this.seen.get(path);
  }

  /** The same again, to go on from without changing this one. What it looks at counts for both, for a refused call has looked too. */
  copy(): Changes {
    const copy = new Changes(this.replica);
    copy.seen = this.seen;
    copy.nodes = new Map(this.nodes);
    copy.written = new Set(this.written);
    copy.fires = [...this.fires];
    return copy;
  }

  put(path: string, value: string, permissions: readonly XenstorePermission[]): void {
    const before = this.get(path);
    this.nodes.set(path, { value, permissions, children: before?.children ?? NO_CHILDREN, generation: 0 });
    this.written.add(path);
    if (before === undefined) this.setChild(path, true);
  }

  /** Deletes a node and all below; watches on each of them fire. */
  delete(path: string, exact = false): void {
    const node = this.get(path);
    if (node === undefined) return;
    this.fire(path, exact);
    for (const name of node.children) this.delete(childOf(path, name), true);
    this.nodes.set(path, undefined);
    this.written.delete(path);
    if (!exact) this.setChild(path, false);
  }

  fire(path: string, exact = false): void {
    this.fires.push(['f', path, exact]);
  }

  /** Nodes that a domain will own more than it does. */
  ownedMore(domid: number): number {
    let more = 0;
    for (const [path, node] of this.nodes) {
      if (node?.permissions[0].domid === domid) more++;
      if (this.replica.get(path)?.permissions[0].domid === domid) more--;
    }
    return more;
  }

  /** Whether nothing that was looked at has changed. */
  get valid(): boolean {
    for (const [path, node] of this.seen) {
      if (this.replica.get(path)?.generation !== node?.generation) return false;
    }
    return true;
  }

  /** @throws HypervisorError `ENOSPC` when a guest will own too many nodes */
  checkQuota(domid: number, nodesMax: number): void {
    if (domid === DOM0) return;
    const more = this.ownedMore(domid);
    if (more <= 0 || this.replica.ownedBy(domid) + more <= nodesMax) return;
    const message = `domain ${domid} may own ${nodesMax} nodes of xenstore (xenstoreNodesMax)`;
    throw new HypervisorError('ENOSPC', message, 'remove nodes, or raise the limit');
  }

  /** The changes as records: what fires for deleted nodes goes first, while it can be seen who could read them. */
  records(): StoreRecord[] {
    const gone = [...this.nodes.keys()].filter((path) => this.nodes.get(path) === undefined);
    const deleted = gone.filter((path) => this.replica.get(path) !== undefined);
    const recreated = [...this.written].filter((path) => this.nodes.get(path) !== undefined);
    // Parents before children.
    recreated.sort((a, b) => a.length - b.length);
    const isGone = (path: string): boolean => this.nodes.has(path) && this.nodes.get(path) === undefined;
    return [
      ...this.fires.filter(([, path]) => isGone(path)),
      ...deleted.map((path) => ['d', path] as const),
      ...recreated.map((path) => this.writeRecord(path)),
      ...this.fires.filter(([, path]) => !isGone(path)),
    ];
  }

  private writeRecord(path: string): StoreRecord {
    const { value, permissions } = this.nodes.get(path) as StoreNode;
    return ['w', path, value, permissions];
  }

  private setChild(path: string, present: boolean): void {
    const parentPath = parentOf(path);
    const parent = this.get(parentPath);
    if (parent === undefined) return;
    const children = new Set(parent.children);
    if (present) children.add(nameOf(path));
    else children.delete(nameOf(path));
    this.nodes.set(parentPath, { ...parent, children });
  }
}
