/**
 * A thread's copy of xenstore's contents, kept up by the records of the log.
 */
import type { XenstorePermission } from '../../xenstore.ts';
import { nameOf, parentOf } from './paths.ts';

/** A node. Never changed: a change puts another in its place. */
export interface StoreNode {
  readonly value: string;
  readonly permissions: readonly XenstorePermission[];
  /** Names of the children. */
  readonly children: ReadonlySet<string>;
  /** Number of the record that changed it last, its children included. */
  readonly generation: number;
}

/**
 * A change, as it stands in the log: write a node, delete one, fire watches. Of a fire the last is true when watches above the path
 * don't fire, because they do for a node that was deleted with it.
 */
export type StoreRecord =
  | readonly ['w', path: string, value: string, permissions: readonly XenstorePermission[]]
  | readonly ['d', path: string]
  | readonly ['f', path: string, exact: boolean];

/** All of it, as it is written when the log begins anew. */
export interface Snapshot {
  readonly sequence: number;
  readonly nodes: readonly (readonly [
    path: string,
    value: string,
    permissions: readonly XenstorePermission[],
    generation: number,
  ])[];
}

/** Nodes of a domain. */
export interface Owned {
  readonly nodes: number;
  /** About what they take in a snapshot. */
  readonly bytes: number;
}

/** Of a node that was just made. */
export const NO_CHILDREN: ReadonlySet<string> = new Set();
const NOTHING: Owned = { nodes: 0, bytes: 0 };
/** Most that a permission takes in a snapshot, and a node without its path and value. */
const PERMISSION_BYTES = 32;
const NODE_BYTES = 32;

export class Replica {
  #nodes = new Map<string, StoreNode>();
  #owned = new Map<number, Owned>();
  /** Records applied. */
  #sequence = 0;
  #contentBytes = 0;

  /** About what a snapshot takes. */
  get bytes(): number {
    return this.#contentBytes;
  }

  get(path: string): StoreNode | undefined {
    return this.#nodes.get(path);
  }

  /** What a domain owns. */
  ownedBy(domid: number): Owned {
    return this.#owned.get(domid) ?? NOTHING;
  }

  /** Applies a change; tells of what fires. */
  apply(record: StoreRecord, fire: (path: string, exact: boolean) => void): void {
    this.#sequence++;
    const [kind, path] = record;
    if (kind === 'f') fire(path, record[2]);
    else if (kind === 'd') this.#delete(path);
    else this.#write(path, record[2], record[3], this.#sequence);
  }

  snapshot(): Snapshot {
    const nodes = [...this.#nodes].map(([path, n]) => [path, n.value, n.permissions, n.generation] as const);
    return { sequence: this.#sequence, nodes };
  }

  /** Becomes what a snapshot says, and tells of what differs, since the records in between are lost. */
  load(snapshot: Snapshot, fire: (path: string, exact: boolean) => void): void {
    const [before, seen] = [this.#nodes, this.#sequence];
    const paths = new Set(snapshot.nodes.map(([path]) => path));
    // While they can still be read.
    for (const path of before.keys()) if (!paths.has(path)) fire(path, !paths.has(parentOf(path)));
    this.#nodes = new Map();
    this.#owned = new Map();
    this.#contentBytes = 0;
    for (const [path, value, permissions, generation] of snapshot.nodes) {
      this.#put(path, { value, permissions, children: new Set(), generation });
    }
    for (const path of paths) (this.#nodes.get(parentOf(path))?.children as Set<string> | undefined)?.add(nameOf(path));
    this.#sequence = snapshot.sequence;
    for (const [path, node] of this.#nodes) if (node.generation > seen) fire(path, false);
  }

  #write(path: string, value: string, permissions: readonly XenstorePermission[], generation: number): void {
    const before = this.#nodes.get(path);
    this.#put(path, { value, permissions, children: before?.children ?? NO_CHILDREN, generation });
    if (before === undefined) this.#setChild(path, true);
  }

  #delete(path: string): void {
    const node = this.#nodes.get(path);
    if (node === undefined) return;
    this.#count(path, node, -1);
    this.#nodes.delete(path);
    this.#setChild(path, false);
  }

  #setChild(path: string, present: boolean): void {
    const parentPath = parentOf(path);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return;
    const children = withChild(parent, path, present);
    this.#put(parentPath, { ...parent, children, generation: this.#sequence });
  }

  #put(path: string, node: StoreNode): void {
    const before = this.#nodes.get(path);
    if (before !== undefined) this.#count(path, before, -1);
    this.#count(path, node, 1);
    this.#nodes.set(path, node);
  }

  /** @param times - 1 for a node that comes, -1 for one that goes */
  #count(path: string, node: StoreNode, times: number): void {
    const { domid } = node.permissions[0];
    const { nodes, bytes } = this.ownedBy(domid);
    const ownBytes = times * bytesOf(path, node);
    this.#owned.set(domid, { nodes: nodes + times, bytes: bytes + ownBytes });
    this.#contentBytes += ownBytes;
  }
}

/** About what a node takes in a snapshot. */
export function bytesOf(path: string, { permissions, value }: StoreNode): number {
  const valueBytes = Buffer.byteLength(JSON.stringify(value));
  return path.length + valueBytes + permissions.length * PERMISSION_BYTES + NODE_BYTES;
}

/** The children of a node once the one at `path` has come or gone. */
export function withChild({ children }: StoreNode, path: string, present: boolean): ReadonlySet<string> {
  const names = new Set(children);
  if (present) names.add(nameOf(path));
  else names.delete(nameOf(path));
  return names;
}
