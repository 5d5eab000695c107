/** Which registrations may be shared. */
import { AccessFlags } from '@openverbs/verbs';

const { MW_BIND, ZERO_BASED, ON_DEMAND, HUGETLB } = AccessFlags;
/**
 * Rights of which a shared registration would be another thing: windows would be bound to what outlives the region, and the addresses of a
 * zero-based region count from its own first byte.
 */
const ACCESS_UNCACHED = MW_BIND | ZERO_BASED | ON_DEMAND | HUGETLB;

/** Whether one registration with these rights may stand for several. */
export function isShareable(access: number): boolean {
  return (access & ACCESS_UNCACHED) === 0;
}
