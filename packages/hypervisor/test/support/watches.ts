/** The events of watches. */
import type { Domain, WatchEvent } from '../../src/index.ts';

/** Takes all events that a domain has. */
export function drain({ xenstore }: Domain): WatchEvent[] {
  const events: WatchEvent[] = [];
  for (let event = xenstore.checkWatch(); event !== undefined; event = xenstore.checkWatch()) events.push(event);
  return events;
}

/** As {@link drain}, the paths alone. */
export function paths(domain: Domain): string[] {
  return drain(domain).map(({ path }) => path);
}
