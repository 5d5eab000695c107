/** Who may do what with a node. */
import { HypervisorError } from '../../errors.ts';
import { DOM0, isDomid } from '../../limits.ts';
import type { XenstorePermission } from '../../xenstore.ts';

/** A permission that is asked for. */
export type Asked = 'r' | 'w';

/** Whether a domain has a permission. The owner and dom0 have all. */
export function permits(permissions: readonly XenstorePermission[], domid: number, asked: Asked): boolean {
  if (domid === DOM0 || permissions[0].domid === domid) return true;
  const entry = permissions.find((permission) => permission.domid === domid) ?? permissions[0];
  return entry.access === 'b' || entry.access === asked;
}

/** What a node that a domain makes gets from its parent: the same, but it belongs to who makes it. */
export function inherit(parent: readonly XenstorePermission[], domid: number): readonly XenstorePermission[] {
  if (domid === DOM0) return parent;
  return [{ domid, access: parent[0].access }, ...parent.slice(1)];
}

/** Copies a list that was handed in. @throws HypervisorError `EINVAL` */
export function checkPermissions(list: readonly XenstorePermission[]): readonly XenstorePermission[] {
  if (list.length === 0) throw new HypervisorError('EINVAL', 'a list of permissions names the owner first');
  return list.map(({ domid, access }) => {
    if (!isDomid(domid)) {
      throw new HypervisorError('EINVAL', `${domid} is no domain that permissions can name`);
    }
    if (!['n', 'r', 'w', 'b'].includes(access)) {
      throw new HypervisorError('EINVAL', `'${String(access)}' is no access: they are n, r, w and b`);
    }
    return { domid, access };
  });
}
