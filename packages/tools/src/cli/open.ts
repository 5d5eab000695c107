/** Opening what the command line names. */
import { type OpenVerbs, openVerbs } from 'openverbs';
import type { Device } from '@openverbs/verbs';

/** Opens the provider that the options name, or the configured one. */
export function openFor(options: { readonly provider?: string | undefined }): OpenVerbs {
  return openVerbs(options.provider === undefined ? {} : { provider: options.provider });
}

/** The device of that name, or all devices; at least one. */
export function selectDevices(verbs: OpenVerbs, name: string | undefined): readonly Device[] {
  // Without any device, `device()` has the words for it.
  return name === undefined && verbs.devices.length > 0 ? verbs.devices : [verbs.device(name)];
}
