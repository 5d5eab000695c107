/** What a connection may ask for, on the nodes that a transaction sees; after xenstored's `do_*` functions. */
import { HypervisorError } from '../../errors.ts';
import { DOM0, XENSTORE_PAYLOAD_BYTES_MAX } from '../../limits.ts';
import type { HypervisorLimits } from '../../limits.ts';
import type { XenstorePermission } from '../../xenstore.ts';
import type { Changes } from './changes.ts';
import { parentOf } from './paths.ts';
import { inherit, permits } from './permissions.ts';
import type { Asked } from './permissions.ts';
import type { StoreNode } from './replica.ts';

/** A node that has to be there and to permit. */
export function existing(changes: Changes, domid: number, path: string, asked: Asked): StoreNode {
  const node = changes.get(path);
  if (node === undefined) throw missing(changes, domid, path, asked);
  if (!permits(node.permissions, domid, asked)) throw denied(domid, path, asked);
  return node;
}

/** Writes a node's value, or makes the node and the parents that it lacks. Without a value one that exists stays as it is. */
export function write(
  changes: Changes,
  domid: number,
  path: string,
  value: string | undefined,
  limits: HypervisorLimits,
): void {
  const node = changes.get(path);
  if (node !== undefined && !permits(node.permissions, domid, 'w')) throw denied(domid, path, 'w');
  if (node !== undefined && value === undefined) return;
  const permissions = node?.permissions ?? makeParents(changes, domid, path);
  checkSize(domid, path, value ?? '', permissions, limits);
  changes.put(path, value ?? '', permissions);
  changes.checkQuota(domid, limits);
  changes.fire(path);
}

/** Makes the parents of a node; returns what permissions it gets. */
function makeParents(changes: Changes, domid: number, path: string): readonly XenstorePermission[] {
  const lacking: string[] = [];
  let above = parentOf(path);
  // The root is always there.
  while (changes.get(above) === undefined) {
    lacking.unshift(above);
    above = parentOf(above);
  }
  const parent = changes.get(above) as StoreNode;
  if (!permits(parent.permissions, domid, 'w')) throw denied(domid, above, 'w');
  const permissions = inherit(parent.permissions, domid);
  // None is larger than the node itself.
  for (const directory of lacking) changes.put(directory, '', permissions);
  return permissions;
}

/** Removes a node and all below. */
export function remove(changes: Changes, domid: number, path: string): void {
  if (path === '/') throw new HypervisorError('EINVAL', 'the root of xenstore cannot be removed');
  const node = changes.get(path);
  if (node === undefined) {
    // As xenstored does: fine, if it could have been there.
    existing(changes, domid, parentOf(path), 'w');
    return;
  }
  if (!permits(node.permissions, domid, 'w')) throw denied(domid, path, 'w');
  changes.delete(path);
}

/** Replaces the permissions of a node. */
export function setPermissions(
  changes: Changes,
  domid: number,
  path: string,
  permissions: readonly XenstorePermission[],
  limits: HypervisorLimits,
): void {
  const node = changes.get(path);
  if (node === undefined) throw missing(changes, domid, path, 'w');
  const owner = node.permissions[0].domid;
  if (domid !== DOM0 && owner !== domid) throw denied(domid, path, 'w');
  if (domid !== DOM0 && permissions[0].domid !== owner) {
    throw new HypervisorError('EPERM', `domain ${domid} cannot give ${path} away`, 'only dom0 changes the owner');
  }
  checkSize(domid, path, node.value, permissions, limits);
  changes.put(path, node.value, permissions);
  changes.fire(path);
}

function checkSize(
  domid: number,
  path: string,
  value: string,
  permissions: readonly XenstorePermission[],
  limits: HypervisorLimits,
): void {
  const bytes = path.length + 1 + Buffer.byteLength(value);
  if (bytes > XENSTORE_PAYLOAD_BYTES_MAX) {
    const message = `path and value of ${path} have ${bytes} bytes, a message ${XENSTORE_PAYLOAD_BYTES_MAX} at most`;
    throw new HypervisorError('E2BIG', message);
  }
  const entryBytes = bytes + 8 * permissions.length;
  if (domid !== DOM0 && entryBytes > limits.xenstoreEntryBytesMax) {
    const message = `the entry ${path} has ${entryBytes} bytes, of a guest ${limits.xenstoreEntryBytesMax} at most`;
    throw new HypervisorError('ENOSPC', message, 'write less, or raise xenstoreEntryBytesMax');
  }
}

/** ENOENT only for those who may know: others are told what they would be if there were a node. */
function missing(changes: Changes, domid: number, path: string, asked: Asked): HypervisorError {
  let above = parentOf(path);
  // The root is always there.
  while (changes.get(above) === undefined) above = parentOf(above);
  const { permissions } = changes.get(above) as StoreNode;
  if (!permits(permissions, domid, asked)) return denied(domid, path, asked);
  return new HypervisorError('ENOENT', `there is no ${path} in xenstore`);
}

function denied(domid: number, path: string, asked: Asked): HypervisorError {
  const verb = asked === 'r' ? 'read' : 'write';
  const hint = `a guest may write below /local/domain/${domid}/data, and what the toolstack made for it`;
  return new HypervisorError('EACCES', `domain ${domid} may not ${verb} ${path}`, hint);
}
