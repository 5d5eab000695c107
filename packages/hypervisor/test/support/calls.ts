import type { Domain } from '../../src/index.ts';
import { soon } from './testbed.ts';

/** Every call of a domain's handle that lives now, by name: each would be carried out, and those that wait get what they wait for. */
export function callsOf(domain: Domain, dom0: Domain): [string, () => unknown][] {
  const { domid, memory, grantTable, eventChannels, xenstore } = domain;
  const frame = memory.allocPages(1);
  const shared = grantTable.sharePages(0, 1);
  const { refs } = dom0.grantTable.sharePages(domid, 1);
  const mapping = grantTable.map(0, refs);
  const port = eventChannels.bindInterdomain(0, dom0.eventChannels.allocUnbound(domid));
  const remotePort = dom0.eventChannels.allocUnbound(domid);
  const transaction = xenstore.transactionStart();
  xenstore.watch('data', 'token');
  return [
    ['allocPages', () => memory.allocPages(1)],
    ['freePages', () => memory.freePages(frame)],
    ['page', () => memory.page(frame)],
    ['dmaOwner', () => memory.dmaOwner(domid)],
    ['pinPages', () => memory.pinPages(domid, [frame])],
    ['grantAccess', () => grantTable.grantAccess(0, frame)],
    ['endAccess', () => grantTable.endAccess(shared.refs[0])],
    ['sharePages', () => grantTable.sharePages(0, 1)],
    ['page that is shared', () => shared.page(0)],
    ['unshare', () => shared.unshare()],
    ['map', () => grantTable.map(0, refs)],
    ['page that is mapped', () => mapping.page(0)],
    ['allocUnbound', () => eventChannels.allocUnbound(0)],
    ['bindInterdomain', () => eventChannels.bindInterdomain(0, remotePort)],
    ['notify', () => eventChannels.notify(port)],
    ['mask', () => eventChannels.mask(port)],
    ['unmask', () => eventChannels.unmask(port)],
    ['isPending', () => eventChannels.isPending(port)],
    ['close', () => eventChannels.close(port)],
    ['take', () => eventChannels.take()],
    ['wait', () => eventChannels.wait(soon())],
    ['read', () => xenstore.read('name')],
    ['tryRead', () => xenstore.tryRead('name')],
    ['tryDirectory', () => xenstore.tryDirectory('name')],
    ['write', () => xenstore.write('data/a', '')],
    ['mkdir', () => xenstore.mkdir('data/b')],
    ['rm', () => xenstore.rm('data/c')],
    ['directory', () => xenstore.directory('data')],
    ['getPermissions', () => xenstore.getPermissions('data')],
    ['setPermissions', () => xenstore.setPermissions('data', [{ domid, access: 'n' }])],
    ['watch', () => xenstore.watch('data', 'another')],
    ['unwatch', () => xenstore.unwatch('data', 'token')],
    ['checkWatch', () => xenstore.checkWatch()],
    ['readWatch', () => xenstore.readWatch(soon())],
    ['transactionStart', () => xenstore.transactionStart()],
    ['transactionEnd', () => xenstore.transactionEnd(transaction)],
    ['transaction', () => xenstore.transaction(() => 0)],
    ['waitUntil', () => domain.waitUntil(() => true, soon())],
  ];
}
