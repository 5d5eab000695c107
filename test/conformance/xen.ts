/** The Xen split driver as a subject of the conformance suite. */
import type { ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import type { OpenVerbsConfig } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';

/** Where the domains and the device run. */
export interface XenPlacements {
  readonly dom0: 'inline' | 'thread';
  readonly device: 'inline' | 'thread';
}

const NO_DMA_MR =
  'ib_get_dma_mr is not there yet: it would have to cover the pages of the guest alone, which are scattered';

const XEN_DEVIATIONS: Readonly<Record<string, string>> = {
  'mr › registers a buffer of another context, and of another device':
    'the other device is that of another guest, whose memory no guest can name: domains are apart, as the paper has it',
  'physical-mr › all memory has a key by bus addresses, here and for peers': NO_DMA_MR,
  'physical-mr › what are no pages, and places that are none in them, are refused': NO_DMA_MR,
};

/**
 * Two guests, and a device of each: the first has the first of two HCAs, the second the other one. What basic lacks is rings, and neither
 * registers memory that is not of the guest.
 */
export function xenSubject(mode: 'basic' | 'bypass', { dom0, device }: XenPlacements): ConformanceSubject {
  const config: OpenVerbsConfig = {
    provider: `xen:${mode}`,
    xen: { guests: 2, placement: dom0 },
    emulated: { devices, placement: device },
  };
  return {
    name: `xen:${mode}, device domain ${dom0}, device ${device}`,
    open: () => {
      const verbs = openVerbs(config);
      return { ...sessionOf(verbs), devices: [verbs.devices[0], verbs.devices[3]] };
    },
    capabilities: { ...capabilities, directAccess: mode === 'bypass' },
    deviations: { ...deviations, ...XEN_DEVIATIONS },
  };
}
