/** Xenstore as a model: whole copies of a map, and for each transaction the nodes that it looked at, as they were. */

interface ModelNode {
  readonly value: string;
  /** Changes with the node and with the list of its children. */
  readonly version: number;
}

type Nodes = Map<string, ModelNode>;

export interface ModelTransaction {
  /** Versions at the first look, undefined for a node that was missing. */
  readonly seen: Map<string, number | undefined>;
  /** What was done, to be done again at the end. */
  readonly changes: ((nodes: Nodes) => void)[];
}

export class StoreModel {
  private readonly nodes: Nodes = new Map([['/', { value: '', version: 0 }]]);
  private version = 0;

  start(): ModelTransaction {
    return { seen: new Map(), changes: [] };
  }

  end(transaction: ModelTransaction): string {
    if (this.isOvertaken(transaction)) return 'EAGAIN';
    for (const change of transaction.changes) change(this.nodes);
    return 'ok';
  }

  /** Whether others have changed what a transaction looked at. */
  isOvertaken({ seen }: ModelTransaction): boolean {
    return [...seen].some(([path, version]) => this.nodes.get(path)?.version !== version);
  }

  read(path: string, transaction?: ModelTransaction): string | undefined {
    const value = this.look(path, transaction);
    // Whoever misses a node has looked at its parents too, up to one that is there.
    if (value === undefined) this.lookUp(path, transaction);
    return value;
  }

  directory(path: string, transaction?: ModelTransaction): string[] | undefined {
    if (this.read(path, transaction) === undefined) return undefined;
    return childrenOf(this.view(transaction), path).sort();
  }

  write(path: string, value: string, transaction?: ModelTransaction): void {
    this.lookUp(path, transaction);
    this.change(transaction, (nodes) => {
      for (let at = path; !nodes.has(at); at = parentOf(at)) {
        this.set(nodes, at, '');
        this.touch(nodes, parentOf(at));
      }
      this.set(nodes, path, value);
    });
  }

  rm(path: string, transaction?: ModelTransaction): string {
    this.look(path, transaction);
    const nodes = this.view(transaction);
    if (!nodes.has(path)) {
      this.lookUp(path, transaction);
      return nodes.has(parentOf(path)) ? 'ok' : 'ENOENT';
    }
    this.look(parentOf(path), transaction);
    const within = (at: string): boolean => at === path || at.startsWith(`${path}/`);
    for (const at of nodes.keys()) if (within(at)) this.look(at, transaction);
    this.change(transaction, (store) => {
      for (const at of [...store.keys()]) if (within(at)) store.delete(at);
      this.touch(store, parentOf(path));
    });
    return 'ok';
  }

  private look(path: string, transaction?: ModelTransaction): string | undefined {
    const seen = transaction?.seen;
    if (seen !== undefined && !seen.has(path)) seen.set(path, this.nodes.get(path)?.version);
    return this.view(transaction).get(path)?.value;
  }

  /** Looks at a node and its parents up to one that is there. */
  private lookUp(path: string, transaction?: ModelTransaction): void {
    for (let at = path; this.look(at, transaction) === undefined; at = parentOf(at));
  }

  /** The nodes as a transaction sees them. */
  private view(transaction?: ModelTransaction): Nodes {
    if (transaction === undefined) return this.nodes;
    const nodes = new Map(this.nodes);
    for (const change of transaction.changes) change(nodes);
    return nodes;
  }

  private change(transaction: ModelTransaction | undefined, change: (nodes: Nodes) => void): void {
    if (transaction === undefined) change(this.nodes);
    else transaction.changes.push(change);
  }

  private set(nodes: Nodes, path: string, value: string): void {
    nodes.set(path, { value, version: ++this.version });
  }

  private touch(nodes: Nodes, path: string): void {
    const node = nodes.get(path);
    if (node !== undefined) this.set(nodes, path, node.value);
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function childrenOf(nodes: Nodes, path: string): string[] {
  const inside = [...nodes.keys()].filter((at) => at !== '/' && parentOf(at) === path);
  return inside.map((at) => at.slice(at.lastIndexOf('/') + 1));
}
