/** `openverbs-xentop`: what the guests of the split driver do, live. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { addFaultOptions, type FaultOptions, faultsOf } from '../cli/faults.ts';
import { type ToolIo, processIo } from '../cli/io.ts';
import { addExamples, createPlainCommand, integerArgument } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { UsageError } from '../cli/usage-error.ts';
import { batchDisplay, jsonDisplay, liveDisplay } from './display.ts';
import { LEGEND } from './format.ts';
import type { ProgramThread } from './program-thread.ts';
import { processTerminal, type Terminal } from './screen.ts';
import { watch } from './watch.ts';

interface CommandOptions extends FaultOptions {
  readonly provider?: string;
  readonly json?: boolean;
  readonly delay: number;
  readonly packetDelay?: number;
  readonly iterations?: number;
  readonly batch?: boolean;
  readonly once?: boolean;
  readonly guests?: number;
}

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));
const DEMO_GUESTS = 4;
const PROVIDER = 'xen:bypass';
const NO_GUESTS = 'it chooses another provider itself; leave that to the configuration, or say xen';
const DELAY_S_MIN = 0.1;
const DELAY_S_MAX = 3600;
const ITERATIONS_MAX = 2 ** 31;
/** Ctrl-C and Ctrl-D come as keys from a terminal in raw mode. */
const QUIT_KEYS = ['q', 'Q', '\u0003', '\u0004'];

/** The command. `terminal` is where it is live; null for none. */
export function xentopCommand(
  path = 'openverbs-xentop',
  io: ToolIo = processIo,
  terminal: () => Terminal | null = processTerminal,
): Command {
  const command = createPlainCommand(
    path,
    'Show what the guests of the Xen split driver do, as xentop shows domains: run a program whose devices are those of guests, or guests that are there to be looked at.',
  )
    .usage('[options] [program.js] [arguments...]')
    .argument('[program]', 'a JavaScript module that uses OpenVerbs; it runs unchanged, on a thread of its own')
    .argument('[arguments...]', 'of the program')
    .passThroughOptions()
    .option('-d, --delay <s>', 'seconds between two refreshes', delay, 3)
    .option('-i, --iterations <n>', 'end after so many refreshes', integerArgument(1, ITERATIONS_MAX))
    .option('-b, --batch', 'print one table after the other; so it is without a terminal')
    .option('--once', 'print one table: at the end of the program, or after one delay')
    .option('--json', 'print JSON: one object a refresh, each on a line of its own')
    .option(
      '--provider <name>',
      `with a program: what it opens unless it says so itself (default: what OPENVERBS_PROVIDER says, or ${PROVIDER})`,
    )
    .option('--guests <n>', `without a program: how many guests, 2 or 4 (default: ${DEMO_GUESTS})`, guestsArgument);
  addFaultOptions(command, '--packet-delay');
  command.addHelpText('after', `\nColumns (.../S: of a second):\n${LEGEND}`);
  addExamples(command, [
    [path, 'four guests that write to each other'],
    [`${path} --provider xen:basic server.js --port 7471`, 'the guests of a program'],
    [`${path} --once server.js`, 'what they have done in the end'],
    [`${path} --drop 0.01 --seed 7 server.js`, 'on a network that loses packets'],
    [`${path} --json -d 1 -i 60 server.js`, 'a minute of it, for programs'],
  ]);
  return command.action((program: string | undefined, args: readonly string[], options: CommandOptions) =>
    run(program, args, options, io, terminal),
  );
}

async function run(
  program: string | undefined,
  args: readonly string[],
  options: CommandOptions,
  io: ToolIo,
  terminal: () => Terminal | null,
): Promise<void> {
  checkOptions(program, options);
  const faults = networkOf(options);
  const live = options.json || options.batch || options.once ? null : terminal();
  const title = program === undefined ? 'guests to look at' : [basename(program), ...args].join(' ');
  const display = options.json ? jsonDisplay(io) : live ? liveDisplay(live, title) : batchDisplay(io);
  const quit = quitOf(live);
  let thread: ProgramThread;
  let ended: boolean;
  try {
    const { ProgramThread } = await import('./program-thread.ts');
    thread = new ProgramThread(program ?? DEMO, {
      args: program === undefined ? [String(options.guests ?? DEMO_GUESTS)] : args,
      provider: program === undefined ? 'xen' : (options.provider ?? process.env['OPENVERBS_PROVIDER'] ?? PROVIDER),
      faults,
      onOutput: display.output,
    });
    ended = await watch(thread, display, {
      delayS: options.delay,
      iterations: options.once ? 1 : (options.iterations ?? Infinity),
      atEnd: options.once === true && program !== undefined,
      quit: quit.promise,
    });
    if (!ended) await thread.stop();
  } finally {
    quit.end();
    display.close();
  }
  if (ended) await report(thread, program ?? DEMO, io);
}

/** Some options are for a program, and some for when there is none. */
function checkOptions(program: string | undefined, { guests, provider }: CommandOptions): void {
  if (program !== undefined && guests !== undefined) {
    throw new UsageError('--guests is for when no program is given', "set OPENVERBS_XEN_GUESTS for the program's");
  }
  if (program === undefined && provider !== undefined) {
    throw new UsageError(
      '--provider is for a program: without one, there are guests of the split driver to look at, basic and bypass',
      'name a program after the options, or leave --provider out',
    );
  }
}

/**
 * What the network is to do. `--delay` is that of the display here, and the provider is left out: the program may open another one than is named, and
 * what is below its guests is always the same.
 */
function networkOf({ packetDelay, delay: _, provider: __, ...rest }: CommandOptions): ReturnType<typeof faultsOf> {
  return faultsOf({ ...rest, ...(packetDelay !== undefined && { delay: packetDelay }) });
}

/** What came of the program: that it failed, or that it had nothing to show. */
async function report(thread: ProgramThread, program: string, io: ToolIo): Promise<void> {
  const name = basename(program);
  let problem: string | undefined;
  try {
    const status = await thread.ended;
    if (status !== 0) problem = `${name} ended with status ${status}`;
    else if (thread.opened === 0) problem = `${name} never called openVerbs()`;
    else if (thread.guests().length === 0) problem = `${name} has no guests\nhint: ${NO_GUESTS}`;
  } catch (error) {
    problem = `${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  if (problem === undefined) return;
  io.err(`openverbs-xentop: ${problem}\n`);
  throw new ToolFailure();
}

/** When a key or a signal says that it is enough. */
function quitOf(terminal: Terminal | null): { readonly promise: Promise<void>; end(): void } {
  let quit = (): void => undefined;
  const promise = new Promise<void>((resolve) => (quit = resolve));
  const offKey = terminal?.onKey((key) => {
    if (QUIT_KEYS.includes(key)) quit();
  });
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, quit);
  return {
    promise,
    end() {
      offKey?.();
      for (const signal of signals) process.off(signal, quit);
    },
  };
}

function delay(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= DELAY_S_MIN && value <= DELAY_S_MAX) return value;
  throw new InvalidArgumentError(`It must be a number of seconds from ${DELAY_S_MIN} to ${DELAY_S_MAX}.`);
}

function guestsArgument(text: string): number {
  if (text === '2' || text === '4') return Number(text);
  throw new InvalidArgumentError('It must be 2 or 4.');
}
