/** Registers memory through the back-end: its pages go over in chunks, and are given up when one is refused. */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import type { MrOps, MrRequest, PhysMrRequest } from '@openverbs/verbs/driver';
import type { RequestOf, ResponseOf } from '../protocol/command.ts';
import { Commands, RegionUse } from '../protocol/commands.ts';
import { PAGES_PER_COMMAND } from '../protocol/limits.ts';
import type { CommandChannel } from './command-channel.ts';
import type { GuestBuffers, PageRun } from './guest-memory.ts';

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

/** What regions of a context are made of. */
export interface RegionParts {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly buffers: GuestBuffers;
}

/** Whether a region is made, or which one is changed. */
type RegionTarget = Pick<RegionInit, 'use' | 'mr' | 'flags'>;

/** A region that is made. */
export const NEW_REGION: RegionTarget = { use: RegionUse.MEMORY, mr: 0, flags: 0 };

/** A region that is changed. */
export function changeOf(mr: number, flags: number): RegionTarget {
  return { use: RegionUse.CHANGE, mr, flags };
}

/** Memory is registered by its pages; the keys know it by the guest's address, unless another is given. */
export function registerMemory(
  { channel, context, buffers }: RegionParts,
  target: RegionTarget,
  request: MrRequest,
): MrOps {
  const { pd, access, length, iova } = request;
  const { addr, ...pages } = buffers.locate(request);
  const keys = makeRegion(channel, { context, ...target, pd, access, iova: iova ?? addr, length }, pages);
  return { handle: keys.mr, lkey: keys.lkey, rkey: keys.rkey, addr };
}

/** Pages that a kernel-level consumer names by their bus addresses; the back-end looks whether they are the guest's. */
export function registerPages(
  { channel, context }: RegionParts,
  target: RegionTarget,
  { pd, access, length, iova, pages, firstOffset }: PhysMrRequest,
): MrOps {
  const frames = Array.from(pages, (address) => address / XEN_PAGE_BYTES);
  const bad = frames.findIndex((frame) => frame >>> 0 !== frame);
  if (bad >= 0)
    throw new VerbsError({ code: 'EINVAL', message: `pages[${bad}] is ${pages[bad]}, the address of no page` });
  const keys = makeRegion(channel, { context, ...target, pd, access, iova, length }, { frames, firstOffset });
  return { handle: keys.mr, lkey: keys.lkey, rkey: keys.rkey, addr: iova };
}
