/** Options that several tools share, and how their arguments are read. */
import { createRequire } from 'node:module';
import { Command, InvalidArgumentError } from 'commander';
import { addFaultOptions, type FaultOptions } from './faults.ts';

/** What every tool can be asked. */
export interface CommonOptions extends FaultOptions {
  /** Name of the provider to open; what the configuration says when left out. */
  readonly provider?: string;
  /** Print JSON for programs instead of text for people. */
  readonly json?: boolean;
}

/** A command with help and version alone. `path` is how it is called: `ibv_devinfo`, or `openverbs devinfo`. */
export function createPlainCommand(path: string, description: string): Command {
  return new Command(path.split(' ').at(-1))
    .description(description)
    .version(toolsVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help');
}

/** A command with the options that all tools share that open devices. */
export function createCommand(path: string, description: string): Command {
  const command = createPlainCommand(path, description)
    .option('--provider <name>', 'open this provider (default: what the configuration says)')
    .option('--json', 'print JSON')
    .allowExcessArguments(false);
  return addFaultOptions(command);
}

/** Appends examples to a command's help; each a command line and what it does. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Reads an integer from `min` to `max`, decimal or hexadecimal with `0x`, as the C tools do. */
export function integerArgument(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
    return value;
  };
}

/** Reads one of some integers. */
export function oneOfArgument<T extends number>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => String(choice) === text);
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
    return found;
  };
}

/** The version of this package, which all packages share. */
export function toolsVersion(): string {
  const manifest = createRequire(import.meta.url)('../../../package.json') as { version: string };
  return manifest.version;
}
