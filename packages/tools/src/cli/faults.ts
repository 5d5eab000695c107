/** A bad network for the time of a command: `--drop 0.01 --seed 7`, `--partition emulated0/emulated1`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { VerbsError } from '@openverbs/verbs';
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
  /** Groups of device names; those of two groups do not hear each other. */
  readonly partition?: readonly (readonly string[])[];
}

const KEYS = ['seed', 'drop', 'duplicate', 'reorder', 'corrupt', 'delay', 'partition'] as const;
const GROUPS_SYNTAX = 'groups are separated by slashes, names of devices within a group by commas';
const GROUP = 'A bad network (emulated devices):';

/** Adds the options to a command that opens devices; `delayFlag` is for one whose `--delay` is something else. */
export function addFaultOptions(command: Command, delayFlag = '--delay'): Command {
  const add = (flags: string, description: string, parse: (text: string) => unknown): void => {
    command.addOption(new Option(flags, description).argParser(parse).helpGroup(GROUP));
  };
  add('--drop <probability>', 'a packet is lost', probability);
  add('--duplicate <probability>', 'a packet arrives twice', probability);
  add('--reorder <probability>', 'a packet is held back, so that others overtake it', probability);
  add('--corrupt <probability>', 'a bit of a packet is turned', probability);
  add(`${delayFlag} <us>`, 'how long packets are under way', microseconds);
  add('--partition <groups>', 'groups of devices that do not hear each other: left/right,other', groups);
  add('--seed <n>', 'what the random numbers start from (default: 0)', integer);
  return command;
}

/** The faults that were asked for; undefined for none. */
export function faultsOf(
  options: FaultOptions & { readonly provider?: string | undefined },
): Partial<Faults> | undefined {
  const entries = KEYS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]] as const);
  if (entries.length === 0) return undefined;
  if (options.provider !== undefined && !hasEmulatedDevices(options.provider)) {
    throw new UsageError(
      `--${entries[0][0]} is for emulated devices, not for provider ${options.provider}`,
      'leave it out, or leave --provider out',
    );
  }
  return Object.fromEntries(entries);
}

/** Words of the command line for what the provider says of `--partition`; any other error as it is. */
export function withPartitionNamed(error: unknown, { partition }: FaultOptions): unknown {
  if (partition === undefined || !VerbsError.is(error) || !error.message.includes('faults.partition')) return error;
  const { code, message, hint } = error;
  const given = partition.map((group) => group.join(',')).join('/');
  const [, name = given] = /faults\.partition is ('[^']*')/.exec(message) ?? [];
  const [devices] = /the devices are .*$/.exec(hint) ?? [hint];
  return new VerbsError({
    code,
    message: `--partition ${given}: ${name} is no device, or named twice`,
    hint: `${GROUPS_SYNTAX}, as in left/right,other; ${devices}`,
    cause: error,
  });
}

/** Itself, or those that guests of the split driver share. */
function hasEmulatedDevices(provider: string): boolean {
  return /^(emulated|xen(:.*)?)$/.test(provider);
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

/** Groups are separated by slashes, names of devices by commas. Whether there are such devices is known when they are opened. */
function groups(text: string): string[][] {
  const names = text.split('/').map((group) => group.split(',').map((name) => name.trim()));
  if (!names.flat().every((name) => name !== '')) {
    throw new InvalidArgumentError(`It must be names of devices: ${GROUPS_SYNTAX}, as in left/right,other.`);
  }
  if (names.length > 1) return names;
  throw new InvalidArgumentError(`One group cuts nothing: ${GROUPS_SYNTAX}, as in left/right,other.`);
}

function integer(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be an integer.');
}
