/** Prints topics to stderr while an `openVerbs()` that asks for them is open. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';

import { DEBUG_TOPICS, type DebugTopic } from './topics.ts';

const STDERR = 2;
const NS_PER_S = 1e9;

/** Who asks for each topic in this thread; one line is printed, however many do. */
const users = new Map<DebugTopic, number>();

const LISTENERS = Object.fromEntries(
  Object.entries(DEBUG_TOPICS).map(([topic, { format }]) => [
    topic,
    (message: unknown) => {
      const { device, atNs } = message as { readonly device: string; readonly atNs: number };
      printLine(topic, device, atNs, (format as (message: unknown) => string)(message));
    },
  ]),
) as Record<DebugTopic, (message: unknown) => void>;

/** Begins to print; returns what ends it. */
export function printTopics(topics: readonly DebugTopic[]): () => void {
  for (const topic of topics) {
    const count = users.get(topic) ?? 0;
    if (count === 0) subscribe(DEBUG_TOPICS[topic].channel, LISTENERS[topic]);
    users.set(topic, count + 1);
  }
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    for (const topic of topics) {
      const count = users.get(topic)! - 1;
      users.set(topic, count);
      if (count === 0) unsubscribe(DEBUG_TOPICS[topic].channel, LISTENERS[topic]);
    }
  };
}

/** `[12345.678901] emulated0 verbs: …`: the host's monotonic time in seconds, or that of the clock which devices were given. */
export function printLine(topic: string, device: string, atNs: number, text: string): void {
  const line = `[${(atNs / NS_PER_S).toFixed(6)}] ${device} ${topic}: ${text}\n`;
  try {
    // At once, in order, and also from a thread or a process that ends next; `process.stderr` would wait for the event loop.
    writeSync(STDERR, line);
  } catch {
    // A reader that is slow or gone is no reason to fail.
  }
}
