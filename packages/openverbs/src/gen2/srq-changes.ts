/** What a mask and attributes say about a shared receive queue, for the functions of both levels. */
import { SrqAttrMask, VerbsError } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';

import { attributes } from './first-argument.ts';

/** The attributes that the mask names, and no others. Throws EINVAL when one of them was not given. */
export function srqChanges(verb: string, srq_attr: Partial<SrqAttr>, srq_attr_mask: number): Partial<SrqAttr> {
  const { maxWr, srqLimit } = attributes(verb, 'srq_attr', srq_attr);
  return {
    ...((srq_attr_mask & SrqAttrMask.MAX_WR) !== 0 && { maxWr: given(verb, 'maxWr', maxWr) }),
    ...((srq_attr_mask & SrqAttrMask.LIMIT) !== 0 && { srqLimit: given(verb, 'srqLimit', srqLimit) }),
  };
}

function given(verb: string, key: string, value: number | undefined): number {
  if (value !== undefined) return value;
  const message = `the mask names ${key}, which the attributes lack`;
  throw new VerbsError({ code: 'EINVAL', verb, message, details: { missing: [key] } });
}
