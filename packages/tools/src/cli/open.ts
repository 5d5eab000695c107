/** Opening what the command line names. */
import { type OpenVerbs, type OpenVerbsConfig, openVerbs } from 'openverbs';
import { type FaultOptions, faultsOf, withPartitionNamed } from './faults.ts';
import type { Device } from '@openverbs/verbs';

/** Opens the provider that the options name, or the configured one, on the network that they ask for; `config` is what else is needed. */
export function openFor(
  options: FaultOptions & { readonly provider?: string | undefined },
  config: OpenVerbsConfig = {},
): OpenVerbs {
  const faults = faultsOf(options);
  try {
    return openVerbs({
      ...config,
      ...(options.provider === undefined ? {} : { provider: options.provider }),
      ...(faults === undefined ? {} : { emulated: { ...config.emulated, faults } }),
    });
  } catch (error) {
    throw withPartitionNamed(error, options);
  }
}

/** The device of that name, or all devices; at least one. */
export function selectDevices(verbs: OpenVerbs, name: string | undefined): readonly Device[] {
  // Without any device, `device()` has the words for it.
  return name === undefined && verbs.devices.length > 0 ? verbs.devices : [verbs.device(name)];
}
