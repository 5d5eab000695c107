/** The Xen split driver as a subject of the conformance suite. */
import type { ConformanceSession, ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import type { OpenVerbs, OpenVerbsConfig } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';

/** How guests reach the device. */
export type XenMode = 'basic' | 'bypass';

/** Where the domains and the device run. */
export interface XenPlacements {
  readonly dom0: 'inline' | 'thread';
  readonly device: 'inline' | 'thread';
  /** Of basic: whether a trip to a CQ fetches all that it holds; as the provider has it unless said. */
  readonly cqeBuffering?: boolean;
}

/** What a guest does otherwise, and why. */
export const xenDeviations: Readonly<Record<string, string>> = {
  ...deviations,
  'mr › registers a buffer of another context, and of another device':
    'the other device is that of another guest, whose memory no guest can name: domains are apart, as the paper has it',
};

/** As {@link xenDeviations}, where the device domain is on the thread of the guests. */
export const xenInlineDeviations: Readonly<Record<string, string>> = {
  ...xenDeviations,
  'device › is the same device for a thread that joins':
    'this thread executes the device domain, so it can only be joined by another one; xen-threads.exhaustive.ts is about these',
};

/** A guest's device. What basic lacks is rings, and neither registers memory that is not of the guest. */
export function subjectOf(mode: XenMode, name: string, open: ConformanceSubject['open']): ConformanceSubject {
  return {
    name,
    open,
    capabilities: { ...capabilities, directAccess: mode === 'bypass' },
    deviations: xenDeviations,
  };
}

/** The configuration of the thread that has the device domain, with as many guests of its own. */
export function xenConfig(mode: XenMode, placements: XenPlacements, guests: number): OpenVerbsConfig {
  const { dom0, device, cqeBuffering } = placements;
  return {
    provider: `xen:${mode}`,
    xen: { guests, placement: dom0, ...(cqeBuffering === undefined ? {} : { cqeBuffering }) },
    emulated: { devices, placement: device },
  };
}

/** Two guests and their device domain, opened by one thread. */
export function xenSubject(mode: XenMode, placements: XenPlacements): ConformanceSubject {
  const { dom0, device, cqeBuffering = true } = placements;
  const name = `xen:${mode}, device domain ${dom0}, device ${device}${cqeBuffering ? '' : ', no CQE buffering'}`;
  const isInline = dom0 === 'inline';
  return {
    ...subjectOf(mode, name, () => {
      const session = guestsOf(mode, openVerbs(xenConfig(mode, placements, 2)));
      return isInline ? { ...session, join: undefined } : session;
    }),
    deviations: isInline ? xenInlineDeviations : xenDeviations,
  };
}

/** Two guests' session: a device of each, of different HCAs. */
export function guestsOf(mode: XenMode, verbs: OpenVerbs): ConformanceSession {
  // Who joins has a guest of its own on the same device domain.
  return {
    ...sessionOf(verbs, { provider: `xen:${mode}`, xen: { guests: 1 } }),
    devices: [verbs.devices[0], verbs.devices[3]],
  };
}
