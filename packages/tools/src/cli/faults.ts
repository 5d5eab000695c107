/** A bad network for the time of a command: `--drop 0.01 --seed 7`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Faults } from '@openverbs/verbs/driver';
import { UsageError } from './usage-error.ts';

/** What the command line can say of the network; as in the configuration, `emulated.faults`. */
export interface FaultOptions {
  readonly seed?: number;
  readonly drop?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly corrupt?: number;
  readonly delay?: number;
}

const KEYS = ['seed', 'drop', 'duplicate', 'reorder', 'corrupt', 'delay'] as const;
const GROUP = 'A bad network (emulated devices):';

/** Adds the options to a command that opens devices. */
export function addFaultOptions(command: Command): Command {
  const add = (flags: string, description: string, parse: (text: string) => number): void => {
    command.addOption(new Option(flags, description).argParser(parse).helpGroup(GROUP));
  };
  add('--drop <probability>', 'a packet is lost', probability);
  add('--duplicate <probability>', 'a packet arrives twice', probability);
  add('--reorder <probability>', 'a packet is held back, so that others overtake it', probability);
  add('--corrupt <probability>', 'a bit of a packet is turned', probability);
  add('--delay <us>', 'how long packets are under way', microseconds);
  add('--seed <n>', 'what the random numbers start from (default: 0)', integer);
  return command;
}

/** The faults that were asked for; undefined for none. */
export function faultsOf(
  options: FaultOptions & { readonly provider?: string | undefined },
): Partial<Faults> | undefined {
  const entries = KEYS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]] as const);
  if (entries.length === 0) return undefined;
  if (options.provider !== undefined && options.provider !== 'emulated') {
    throw new UsageError(
      `--${entries[0][0]} is for emulated devices, not for provider ${options.provider}`,
      'leave it out, or leave --provider out',
    );
  }
  return Object.fromEntries(entries);
}

function probability(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

function microseconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1e7) return value;
  throw new InvalidArgumentError('It must be a number of microseconds, 10000000 at most.');
}

function integer(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be an integer.');
}
