/** What a device lacks by its manifest is refused before the provider is asked. */
import type { Context } from './context.ts';
import type { CapabilityName } from './driver/capabilities.ts';
import { VerbsError } from './errors.ts';

/** Answers EOPNOTSUPP when the device lacks a capability. */
export function assertCapability(
  context: Context,
  verb: string,
  name: CapabilityName,
  hint: string,
  what: string = name,
): void {
  const { device } = context;
  if (device.supports(name)) return;
  const message = `${device.name} does not have ${what}`;
  throw new VerbsError({ code: 'EOPNOTSUPP', verb, message, hint, details: { capability: name } });
}
