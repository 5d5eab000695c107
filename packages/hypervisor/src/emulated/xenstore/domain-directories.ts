/** What the toolstack writes into xenstore when domains come and go, after libxl. */
import { DOM0 } from '../../limits.ts';
import type { XenstorePermission } from '../../xenstore.ts';
import { Changes } from './changes.ts';
import { childOf, domainPath, INTRODUCE_DOMAIN, RELEASE_DOMAIN } from './paths.ts';
import type { Replica, StoreRecord } from './replica.ts';

const DOM0_ONLY: readonly XenstorePermission[] = [{ domid: DOM0, access: 'n' }];

/** What the directories of domains are in, from the top. */
const ABOVE_DOMAINS = ['/local', '/local/domain'];

/** What is there before any domain. Special paths are nodes that only dom0 may read. */
export function firstRecords(): StoreRecord[] {
  const paths = ['/', ...ABOVE_DOMAINS, INTRODUCE_DOMAIN, RELEASE_DOMAIN];
  return paths.map((path) => ['w', path, '', DOM0_ONLY]);
}

/** The directory of a domain: it reads all of it, and writes below `data`. Devices are added by whoever provides them. */
export function directoriesOf(replica: Replica, domid: number, name: string): StoreRecord[] {
  const changes = new Changes(replica);
  const path = domainPath(domid);
  // Dom0 may have removed them.
  for (const above of ABOVE_DOMAINS) if (changes.get(above) === undefined) changes.put(above, '', DOM0_ONLY);
  const readable: readonly XenstorePermission[] = [...DOM0_ONLY, { domid, access: 'r' }];
  changes.put(path, '', readable);
  changes.put(childOf(path, 'name'), name, readable);
  changes.put(childOf(path, 'domid'), String(domid), readable);
  changes.put(childOf(path, 'device'), '', readable);
  changes.put(childOf(path, 'data'), '', [{ domid, access: 'n' }]);
  changes.fire(path);
  changes.put(INTRODUCE_DOMAIN, String(domid), DOM0_ONLY);
  changes.fire(INTRODUCE_DOMAIN);
  return changes.records();
}

/** Removes the directory of a domain, and tells that it is gone. */
export function releaseRecords(replica: Replica, domid: number): StoreRecord[] {
  const changes = new Changes(replica);
  changes.delete(domainPath(domid));
  changes.put(RELEASE_DOMAIN, String(domid), DOM0_ONLY);
  changes.fire(RELEASE_DOMAIN);
  return changes.records();
}
