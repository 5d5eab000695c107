/** From the words of a command to the words of its answer. A guest's mistake is an answer; it never throws. */
import { VerbsError } from '@openverbs/verbs';
import type { Command } from '../protocol/command.ts';
import { Commands, failure, Status } from '../protocol/commands.ts';
import type { CommandName } from '../protocol/commands.ts';
import { readAll } from '../protocol/field.ts';
import { WordReader, WordWriter } from '../protocol/words.ts';
import { Account } from './accounting.ts';
import type { Guest } from './guest.ts';
import { completionQueueHandlers } from './handlers/completion-queues.ts';
import { contextHandlers } from './handlers/contexts.ts';
import { domainHandlers } from './handlers/domains.ts';
import type { Handlers } from './handlers/handlers.ts';
import { memoryHandlers } from './handlers/memory.ts';
import { queuePairHandlers } from './handlers/queue-pairs.ts';
import { sharedReceiveQueueHandlers } from './handlers/shared-receive-queues.ts';

/** Every command has one. */
export const handlers: Handlers = {
  ...contextHandlers,
  ...domainHandlers,
  ...memoryHandlers,
  ...completionQueueHandlers,
  ...queuePairHandlers,
  ...sharedReceiveQueueHandlers,
};

interface Entry {
  readonly command: Command<unknown, unknown>;
  readonly handle: (guest: Guest, request: unknown) => unknown;
}

const entries = new Map<number, Entry>(
  (Object.keys(Commands) as CommandName[]).map((name) => {
    const command = Commands[name] as Command<unknown, unknown>;
    return [command.number, { command, handle: handlers[name] as Entry['handle'] }];
  }),
);

const posts: ReadonlySet<number> = new Set(
  [Commands.POST_SEND, Commands.POST_RECV, Commands.POST_SRQ_RECV].map(({ number }) => number),
);

/** Whether a command posts work requests. */
export function isPost(number: number): boolean {
  return posts.has(number);
}

/** What came of a command. */
export interface Answer {
  /** One of `Status`. */
  readonly status: number;
  /** Words of the answer. */
  readonly length: number;
  /** Whether they are to go through the bulk area in any case. */
  readonly bulk: boolean;
}

/**
 * Runs a command.
 *
 * @param number - of the command, as the guest said it
 * @param words - a private copy of its arguments
 * @param length - how many words of that there are
 * @param out - where the answer goes
 */
export function dispatch(guest: Guest, number: number, words: Int32Array, length: number, out: Int32Array): Answer {
  guest.counts[Account.COMMANDS]++;
  try {
    const entry = entries.get(number);
    if (entry === undefined) throw new VerbsError({ code: 'EINVAL', message: `there is no command ${number}` });
    const { command, handle } = entry;
    const response = handle(guest, readAll(command.request, new WordReader(words, length)));
    const writer = new WordWriter(out);
    command.response.write(writer, response);
    return { status: Status.OK, length: writer.length, bulk: command.bulk };
  } catch (error) {
    guest.counts[Account.REFUSED]++;
    if (!VerbsError.is(error)) guest.counts[Account.FAULTS]++;
    const writer = new WordWriter(out);
    failure.write(writer, describe(error));
    return { status: Status.FAILED, length: writer.length, bulk: false };
  }
}

/** What the guest is told. An error that is none of verbs' own is a fault of the back-end; the guest learns no more than that. */
function describe(error: unknown): { code: string; message: string; hint: string } {
  if (VerbsError.is(error)) {
    const { code, message, hint, verb } = error;
    return { code, message: verb === '' ? message : message.replace(`${verb}: `, ''), hint };
  }
  return {
    code: 'EIO',
    message: 'the back-end failed at this command',
    hint: 'this is a fault of the back-end: report it',
  };
}
