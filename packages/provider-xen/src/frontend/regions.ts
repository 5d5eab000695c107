/** Registers memory through the back-end: its pages go over in chunks, and are given up when one is refused. */
import { Commands } from '../protocol/commands.ts';
import { PAGES_PER_COMMAND } from '../protocol/limits.ts';
import type { RequestOf, ResponseOf } from '../protocol/command.ts';
import type { CommandChannel } from './command-channel.ts';
import type { PageRun } from './guest-memory.ts';

const { BEGIN_REGION, ADD_PAGES, END_REGION, ABORT_REGION } = Commands;

/** What a region is, beside its pages. */
export type RegionInit = Omit<RequestOf<typeof BEGIN_REGION>, 'firstOffset' | 'pages'>;

/** Keys of a region that was made. */
export type RegionKeys = ResponseOf<typeof END_REGION>;

/** @throws VerbsError of the back-end; then there is no region */
export function makeRegion(channel: CommandChannel, init: RegionInit, { frames, firstOffset }: PageRun): RegionKeys {
  const { region } = channel.call(BEGIN_REGION, { ...init, firstOffset, pages: frames.length });
  try {
    for (let first = 0; first < frames.length; first += PAGES_PER_COMMAND) {
      channel.call(ADD_PAGES, { region, pages: frames.slice(first, first + PAGES_PER_COMMAND) });
    }
  } catch (error) {
    channel.call(ABORT_REGION, { region });
    throw error;
  }
  return channel.call(END_REGION, { region });
}
