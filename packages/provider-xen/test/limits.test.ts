import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '@openverbs/hypervisor';
import { REQUESTS_PER_RUN } from '../src/backend/connection.ts';
import { EVENTS_PER_RUN } from '../src/backend/event-forwarder.ts';
import { WATCH_EVENTS_PER_RUN } from '../src/backend/frontend-table.ts';
import { REQUESTS_WAITING_MAX } from '../src/backend/request-queue.ts';
import { POSTS_PER_RUN, QUANTUM_BYTES } from '../src/backend/scheduler.ts';
import { TURNS_PER_PAUSE } from '../src/dom0/inline-dom0.ts';
import { TRACES_UNDER_WAY_MAX } from '../src/dom0/traces.ts';
import * as protocol from '../src/protocol/limits.ts';

const DOCUMENT = new URL('../../../../docs/split-driver.md', import.meta.url);

const OWN = {
  REQUESTS_PER_RUN,
  WATCH_EVENTS_PER_RUN,
  POSTS_PER_RUN,
  QUANTUM_BYTES,
  EVENTS_PER_RUN,
  TURNS_PER_PAUSE,
  REQUESTS_WAITING_MAX,
  TRACES_UNDER_WAY_MAX,
};

describe('the limits of the split driver', () => {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `(\w+)` +\| [^|]+ \| (\d+) +\|$/gm);
  const told = Object.fromEntries([...rows].map(([, name, limit]) => [name, Number(limit)]));

  it('are those of its page', () => {
    const limits: Readonly<Record<string, number>> = { ...OWN, ...protocol, ...DEFAULT_LIMITS };
    expect(told).to.deep.equal(Object.fromEntries(Object.keys(told).map((name) => [name, limits[name]])));
  });

  it('are all there, but for those of texts and tables that nobody meets', () => {
    expect(told).to.include.keys(
      ...Object.keys(OWN),
      'xenstoreMemoryBytesMax',
      'EVENTS_WAITING_MAX',
      'GUESTS_AT_QUOTA',
    );
  });
});
