/** Checks of the hypervisor without which nothing changes that anybody could notice. */
import type { Equivalents } from './equivalent.ts';

export const HYPERVISOR: Equivalents = {};
