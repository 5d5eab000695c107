/** The table of equivalent checks, of all packages. */
import type { Equivalents } from './equivalent.ts';
import { HYPERVISOR } from './equivalent-hypervisor.ts';
import { PROVIDER_XEN } from './equivalent-provider-xen.ts';

export const EQUIVALENT: Equivalents = { ...PROVIDER_XEN, ...HYPERVISOR };
