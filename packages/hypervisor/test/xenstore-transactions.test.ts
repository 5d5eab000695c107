import { expect } from 'chai';
import { expectError, testbed } from './support/testbed.ts';
import { drain, paths } from './support/watches.ts';

describe('xenstore transactions', () => {
  it('are seen by others at their end, all at once', () => {
    const { dom0, guest } = testbed();
    dom0.xenstore.watch('/a', '');
    drain(dom0);
    const t = dom0.xenstore.transactionStart();
    dom0.xenstore.write('/a/x', '1', t);
    dom0.xenstore.write('/a/y', '2', t);
    expect(dom0.xenstore.read('/a/x', t)).to.equal('1');
    expect(dom0.xenstore.directory('/a', t)).to.deep.equal(['x', 'y']);
    expectError(() => dom0.xenstore.read('/a/x'), 'ENOENT');
    expect(drain(dom0)).to.deep.equal([]);
    dom0.xenstore.transactionEnd(t);
    expect(dom0.xenstore.directory('/a')).to.deep.equal(['x', 'y']);
    expect(paths(dom0)).to.deep.equal(['/a/x', '/a/y']);
    expectError(() => dom0.xenstore.transactionEnd(t), 'ENOENT');
    expectError(() => guest.xenstore.read('name', 5), 'ENOENT');
  });

  it('can be dropped', () => {
    const { dom0 } = testbed();
    const t = dom0.xenstore.transactionStart();
    dom0.xenstore.write('/a', '1', t);
    dom0.xenstore.transactionEnd(t, true);
    expectError(() => dom0.xenstore.read('/a'), 'ENOENT');
  });

  it('fail when others changed what they had read, written or found missing', () => {
    const { dom0 } = testbed();
    const { xenstore } = dom0;
    const conflicts: [string, (t: number) => void, () => void][] = [
      ['value', (t) => xenstore.read('/a/x', t), () => xenstore.write('/a/x', '2')],
      ['missing', (t) => xenstore.tryRead('/a/n', t), () => xenstore.write('/a/n', '2')],
      ['children', (t) => xenstore.directory('/a', t), () => xenstore.write('/a/new', '')],
      [
        'permissions',
        (t) => xenstore.getPermissions('/a', t),
        () => xenstore.setPermissions('/a', [{ domid: 0, access: 'r' }]),
      ],
      ['written', (t) => xenstore.write('/a/x', '3', t), () => xenstore.write('/a/x', '4')],
      ['removed', (t) => xenstore.read('/a/x', t), () => xenstore.rm('/a/x')],
      [
        'made anew',
        (t) => xenstore.read('/a/x', t),
        () => {
          xenstore.rm('/a/x');
          xenstore.write('/a/x', '1');
        },
      ],
    ];
    for (const [what, inside, outside] of conflicts) {
      xenstore.rm('/a');
      xenstore.write('/a/x', '1');
      const t = xenstore.transactionStart();
      inside(t);
      outside();
      const before = xenstore.tryRead('/a/x');
      xenstore.write('/done', what, t);
      expectError(() => xenstore.transactionEnd(t), 'EAGAIN', /begin again/);
      expect(xenstore.tryRead('/a/x'), what).to.equal(before);
      expect(xenstore.tryRead('/done'), what).to.equal(undefined);
    }
  });

  it('fail when others made what a refused call had missed', () => {
    const { xenstore } = testbed().dom0;
    const t = xenstore.transactionStart();
    expectError(() => xenstore.rm('/a/x', t), 'ENOENT');
    xenstore.write('/b', '', t);
    xenstore.write('/a/x', '');
    expectError(() => xenstore.transactionEnd(t), 'EAGAIN');
  });

  it('do not mind changes elsewhere', () => {
    const { xenstore } = testbed().dom0;
    xenstore.write('/a/x', '1');
    xenstore.write('/b', '1');
    const t = xenstore.transactionStart();
    xenstore.write('/a/x', xenstore.read('/a/x', t) + '2', t);
    xenstore.write('/b', '2');
    xenstore.transactionEnd(t);
    expect(xenstore.read('/a/x')).to.equal('12');
  });

  it('remove and make again in one', () => {
    const { dom0 } = testbed();
    dom0.xenstore.write('/a/x/y', '1');
    dom0.xenstore.watch('/a', '');
    drain(dom0);
    dom0.xenstore.transaction((t) => {
      dom0.xenstore.rm('/a/x', t);
      expect(dom0.xenstore.directory('/a', t)).to.deep.equal([]);
      dom0.xenstore.write('/a/x/z', '2', t);
    });
    expect(dom0.xenstore.directory('/a/x')).to.deep.equal(['z']);
    expect(paths(dom0)).to.include('/a/x/z');
  });

  it('change nothing by a refused call, and go on after it', () => {
    const { guest } = testbed({ xenstoreNodesMax: 2 });
    guest.xenstore.transaction((t) => {
      expectError(() => guest.xenstore.write('data/a/b/c', '', t), 'ENOSPC');
      guest.xenstore.write('data/d', '1', t);
    });
    expect(guest.xenstore.directory('data')).to.deep.equal(['d']);
  });

  it('are begun again by transaction(), a limited number of times', () => {
    const { xenstore } = testbed().dom0;
    let attempts = 0;
    const disturb = (times: number) => (t: number) => {
      xenstore.write('/a', xenstore.tryRead('/a', t) ?? '', t);
      if (attempts++ < times) xenstore.write('/a', String(attempts));
      return attempts;
    };
    expect(xenstore.transaction(disturb(3))).to.equal(4);
    attempts = 0;
    expectError(() => xenstore.transaction(disturb(1000)), 'EAGAIN');
    expect(attempts).to.equal(8);
    expect(() =>
      xenstore.transaction((t) => {
        xenstore.write('/a', 'never', t);
        throw new Error('own');
      }),
    ).to.throw('own');
    expect(xenstore.read('/a')).not.to.equal('never');
  });
});
