/** Ways in which a key and an address can be wrong. One table for both ends: an lkey goes wrong in the same ways as an rkey. */
import { ACCESS_ALL, type Side } from '../bench/side.ts';

/** A place in memory, as a work request names it. */
export interface Place {
  readonly key: number;
  readonly addr: number | bigint;
  readonly length: number;
}

/** One way to be wrong. */
export interface Fault {
  readonly title: string;
  /** A place that the owner's key does not give. */
  place(owner: Side): Place;
}

const LENGTH = 8;
const REGION_BYTES = 256;

/** Keys and addresses that are wrong whatever is done with the memory. */
export function faultsOf(which: 'lkey' | 'rkey'): readonly Fault[] {
  /** A region in the middle of the side's own buffer: before and behind it there is memory too, and it must not change. */
  const region = (owner: Side, pd = owner.pd): { key: number; addr: number; dereg: () => void } => {
    const mr = pd.regMr(owner.bytes.subarray(1024, 1024 + REGION_BYTES), ACCESS_ALL);
    return { key: mr[which], addr: mr.addr, dereg: () => mr.dereg() };
  };
  return [
    {
      title: 'that nobody was given',
      place: (owner) => ({ key: 0xdeadbeef, addr: region(owner).addr, length: LENGTH }),
    },
    { title: 'of 0', place: (owner) => ({ key: 0, addr: region(owner).addr, length: LENGTH }) },
    { title: 'of all ones', place: (owner) => ({ key: 0xffffffff, addr: region(owner).addr, length: LENGTH }) },
    {
      title: 'that differs in its low byte',
      place: (owner) => {
        const { key, addr } = region(owner);
        return { key: (key ^ 1) >>> 0, addr, length: LENGTH };
      },
    },
    {
      title: 'of a region that is gone',
      place: (owner) => {
        const { key, addr, dereg } = region(owner);
        dereg();
        return { key, addr, length: LENGTH };
      },
    },
    {
      title: 'of a region whose place another one has taken',
      place: (owner) => {
        const { key, addr, dereg } = region(owner);
        dereg();
        region(owner);
        return { key, addr, length: LENGTH };
      },
    },
    {
      title: 'of another protection domain',
      place: (owner) => ({ ...region(owner, owner.context.allocPd()), length: LENGTH }),
    },
    { title: 'one byte before the region', place: (owner) => shifted(region(owner), -1) },
    { title: 'one byte beyond the region', place: (owner) => shifted(region(owner), REGION_BYTES - LENGTH + 1) },
    { title: 'just behind the region', place: (owner) => shifted(region(owner), REGION_BYTES) },
    { title: 'far behind the region', place: (owner) => shifted(region(owner), 2 ** 40) },
    {
      title: '4 GiB beside the region',
      // An address that is cut to 32 bits somewhere lands in the region.
      place: (owner) => shifted(region(owner), 2 ** 32),
    },
    { title: 'at address 0', place: (owner) => ({ ...region(owner), addr: 0, length: LENGTH }) },
  ];
}

/** Where operations may start at any 64-bit address. */
export function faultsOfWideAddresses(): readonly Fault[] {
  const key = (owner: Side): number => owner.mr.rkey;
  return [
    {
      title: 'at the end of the address space',
      place: (owner) => ({ key: key(owner), addr: 2n ** 64n - 8n, length: 8 }),
    },
    {
      title: 'across the end of the address space',
      place: (owner) => ({ key: key(owner), addr: 2n ** 64n - 4n, length: 8 }),
    },
    {
      title: 'so far away that a sum of 64 bits wraps into the region',
      place: (owner) => ({ key: key(owner), addr: 2n ** 63n + BigInt(owner.mr.addr), length: 8 }),
    },
  ];
}

function shifted(region: { key: number; addr: number }, by: number): Place {
  return { key: region.key, addr: region.addr + by, length: LENGTH };
}
