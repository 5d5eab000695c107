/** What the tests count to see leaks: one of each kind is seen, and nothing beside it. */
import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import { Gid, QpType } from '@openverbs/verbs';
import { HonestGuest } from './support/honest-guest.ts';
import { XenMachine } from './support/xen-machine.ts';

describe('what is counted of guests', () => {
  let xen: XenMachine;
  let honest: HonestGuest;

  beforeEach(() => {
    xen = new XenMachine();
    honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
  });
  afterEach(() => {
    xen.close();
  });

  /** Counts what `leak` leaves, by kinds that have grown, and that it is gone behind what `leak` returns. */
  function expectSeen(leak: () => () => void, seen: Record<string, number>): void {
    const before = xen.counts();
    const end = leak();
    const after = xen.counts();
    const grown = Object.keys(after).filter((kind) => kind !== 'bytes' && after[kind] !== before[kind]);
    expect(Object.fromEntries(grown.map((kind) => [kind, after[kind] - before[kind]]))).to.deep.equal(seen);
    end();
    expect(xen.counts()).to.deep.equal(before);
  }

  it('a grant of the device domain', () => {
    const { memory, grantTable } = xen.toolstack;
    const frame = memory.allocPages(1);
    expectSeen(
      () => {
        const ref = grantTable.grantAccess(1, frame);
        return () => {
          grantTable.endAccess(ref);
        };
      },
      { grants: 1 },
    );
  });

  it('a page of a guest that it has mapped, and a run that it has pinned', () => {
    const guest = xen.addGuest('basic');
    const shared = guest.domain.grantTable.sharePages(0, 3);
    expectSeen(
      () => {
        const mapping = xen.toolstack.grantTable.map(guest.domid, shared.refs);
        return () => {
          mapping.unmap();
        };
      },
      { mappings: 3 },
    );
    const first = shared.page(0).address / 4096;
    expectSeen(
      () => {
        const pinned = xen.toolstack.memory.pinPages(guest.domid, [first, first + 1]);
        return () => {
          pinned.unpin();
        };
      },
      { pinnedRuns: 1 },
    );
  });

  it('a port of an event channel', () => {
    const { eventChannels } = xen.toolstack;
    expectSeen(
      () => {
        const port = eventChannels.allocUnbound(1);
        return () => {
          eventChannels.close(port);
        };
      },
      { ports: 1 },
    );
  });

  it('a context with its UAR', () => {
    expectSeen(
      () => {
        const context = honest.context.device.open();
        return () => {
          context.close();
        };
      },
      { uars: 1, grants: 1 },
    );
  });

  it('a queue pair in a multicast group', () => {
    const qp = honest.pd.createQp({
      qpType: QpType.UD,
      sendCq: honest.cq,
      recvCq: honest.cq,
      cap: { maxSendWr: 1, maxRecvWr: 1 },
    });
    const group = Gid.parse('ff0e::1');
    expectSeen(
      () => {
        qp.attachMcast(group, 0);
        return () => {
          qp.detachMcast(group, 0);
        };
      },
      { attachments: 1 },
    );
  });

  it('an open file, and what the device domain opens for one of a guest', function () {
    const file = openSync(process.execPath, 'r');
    try {
      if (xen.counts()['files'] === 0) this.skip();
      expectSeen(
        () => {
          const xrcd = honest.context.openXrcd({ fd: file, oflags: 0o100 });
          return () => {
            xrcd.close();
          };
        },
        { files: 1, xrcds: 1 },
      );
    } finally {
      closeSync(file);
    }
  });

  it('of a guest that had one of each and is destroyed, nothing', () => {
    xen.destroy(xen.addGuest('bypass')); // the tables of its domain stay, for the next one
    const file = openSync(process.execPath, 'r');
    try {
      const before = xen.counts();
      const guest = xen.addGuest('bypass');
      const { context, pd, cq } = new HonestGuest(xen, xen.deviceOf(guest));
      context.openXrcd({ fd: file, oflags: 0o100 });
      const cap = { maxSendWr: 1, maxRecvWr: 1 };
      pd.createQp({ qpType: QpType.UD, sendCq: cq, recvCq: cq, cap }).attachMcast(Gid.parse('ff0e::1'), 0);
      const during = xen.counts();
      for (const kind of ['attachments', 'grants', 'uars', 'mappings', 'pinnedRuns', 'ports', 'xrcds']) {
        expect(during[kind], kind).to.be.above(before[kind]);
      }
      xen.destroy(guest);
      expect(xen.counts()).to.deep.equal(before);
    } finally {
      closeSync(file);
    }
  });
});
