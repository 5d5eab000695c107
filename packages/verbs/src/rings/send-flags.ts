/** The flags of a send that have a name. */
import { namedBits } from '../enums/named-bits.ts';
import { SendFlags } from '../enums/wr.ts';

/** All bits of `SendFlags`. What has others, or is no number, is not equal to its conjunction with these. */
export const SEND_FLAGS_KNOWN = namedBits(SendFlags);
