/** What the ping-pong commands share: they measure how long messages take between queue pairs. */
import { type Command, Option } from 'commander';
import { formatCounters, type PortCounters, readCounters } from '../cli/counters.ts';
import { faultsOf } from '../cli/faults.ts';
import { type ToolIo, toJson } from '../cli/io.ts';
import { type CommonOptions, addExamples, createCommand, integerArgument, oneOfArgument } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { UsageError } from '../cli/usage-error.ts';
import type { PingPongAddress } from './endpoint.ts';
import { formatAddresses, formatResult } from './format.ts';
import { MTU_CHOICES, NUM_QP_MAX, type PingPongOptions, defaultOptions, totalIters } from './options.ts';
import { defaultStallMsMax } from './patience.ts';
import type * as running from './run.ts';
import type { ConnectedHandler, PingPongResult } from './run.ts';
import { type ServiceName, SERVICES } from './service.ts';
import { TraceFile } from './trace-file.ts';

const INT32_MAX = 2 ** 31 - 1;

interface CommandOptions extends CommonOptions {
  readonly self?: boolean;
  readonly threads: 1 | 2;
  readonly port?: number;
  readonly ibDev?: string;
  readonly peerIbDev?: string;
  readonly ibPort: number;
  readonly size: number;
  readonly mtu?: number;
  readonly numQp?: number;
  readonly clients?: number;
  readonly rxDepth?: number;
  readonly iters?: number;
  readonly numTests?: number;
  readonly num_tests?: number;
  readonly sl: number;
  readonly events?: boolean;
  readonly gidIdx?: number;
  readonly odp?: boolean;
  readonly chk?: boolean;
  readonly counters?: boolean;
  readonly giveUpMs?: number;
  readonly trace?: string;
}

/** What is a command's own. */
export interface PingPongCommandTexts {
  readonly description: string;
  /** Arguments after the command's name, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
}

/** A ping-pong over `service`; `path` is how it is called: the name of the C tool, or a subcommand of `openverbs`. */
export function pingPongCommand(service: ServiceName, path: string, texts: PingPongCommandTexts, io: ToolIo): Command {
  const { port, size, sl, threads } = defaultOptions(service);
  const command = createCommand(path, texts.description)
    .argument('[host]', 'the other process; not there yet, use --self')
    .option('--self', 'both ends in this process')
    .option('--threads <n>', 'with --self: both ends on one thread, or on two', oneOfArgument([1, 2]), threads)
    .option('-p, --port <port>', 'TCP port to meet the other process at; not there yet', integerArgument(1, 65535))
    .option('-d, --ib-dev <dev>', 'device (default: the first one)')
    .option('--peer-ib-dev <dev>', 'with --self: device of the other end (default: the same)')
    .option('-i, --ib-port <port>', 'port of the device', integerArgument(1, 255), port)
    .option('-s, --size <size>', 'bytes of a message', integerArgument(1, INT32_MAX), size)
    .option('-l, --sl <sl>', 'service level', integerArgument(0, 15), sl)
    .option('-e, --events', 'sleep on CQ events instead of polling')
    .option('-g, --gid-idx <index>', 'index of the local GID (default: 0 on Ethernet)', integerArgument(0, 65535))
    .option('--give-up-ms <ms>', giveUpMeaning(service), integerArgument(1, INT32_MAX))
    .option('--trace <file>', 'write the way of the last message through the layers, for Perfetto; on one thread')
    .option('--counters', 'print the hardware counters of the device at the end, also of a run that failed');
  addServiceOptions(command, service);
  addExamples(
    command,
    texts.examples.map(([line, meaning]) => [`${path} ${line}`, meaning]),
  );
  return command.action((host: string | undefined, options: CommandOptions) => pingPong(service, host, options, io));
}

function giveUpMeaning(service: ServiceName): string {
  return `fail after so long without a completion (default: ${defaultStallMsMax(service)})`;
}

/** Options that the C tool of `service` has and others lack. */
function addServiceOptions(command: Command, service: ServiceName): void {
  const { hasSrq, isDatagram, isExtended, isReliable } = SERVICES[service];
  const { iters, mtu, numQp, rxDepth } = defaultOptions(service);
  const count = integerArgument(1, INT32_MAX);
  const check = 'compare what arrives with what was sent';
  if (isExtended) {
    command
      .option('-c, --clients <n>', 'clients, which share an XRC domain', integerArgument(1, NUM_QP_MAX), numQp)
      .option('-n, --num-tests <n>', 'number of exchanges with each client', count, iters)
      .option('--chk', check)
      // The man page spells it so, the program so.
      .addOption(new Option('--num_tests <n>').argParser(count).hideHelp());
  } else {
    command
      .option('-r, --rx-depth <dep>', 'receives to keep posted', count, rxDepth)
      .option('-n, --iters <iters>', 'number of exchanges', count, iters)
      .option('-c, --chk', check);
  }
  if (!isDatagram) {
    command.option('-m, --mtu <size>', `path MTU: ${MTU_CHOICES.join(', ')}`, oneOfArgument(MTU_CHOICES), mtu);
  }
  if (hasSrq && !isExtended) {
    const meaning = 'queue pairs at each end, which share the exchanges';
    command.option('-q, --num-qp <num>', meaning, integerArgument(1, NUM_QP_MAX), numQp);
  }
  if (isReliable) command.option('-o, --odp', 'register memory for on-demand paging');
}

/** By itself, since the compiler leaves the name of the file as it is where there is `using` beside it. */
function importRun(): Promise<typeof running> {
  return import('./run.ts');
}

async function pingPong(
  service: ServiceName,
  host: string | undefined,
  commandOptions: CommandOptions,
  io: ToolIo,
): Promise<void> {
  if (!commandOptions.self || host !== undefined) {
    throw new UsageError(
      'only --self, both ends in this process, is there for now; meeting another process comes later',
      'try --self, or --self --threads 2',
    );
  }
  const options = toPingPongOptions(service, commandOptions);
  checkReceives(options);
  const { json = false, counters = false, trace: traceTo } = commandOptions;
  if (traceTo !== undefined && options.threads !== 1) {
    throw new UsageError('--trace shows what one thread does', 'leave --threads 2 out');
  }
  using trace = traceTo === undefined ? null : new TraceFile(traceTo);
  const ends: Ends[] = [];
  const counted: PortCounters[] = [];
  const onConnected: ConnectedHandler = (device, locals, remotes) => {
    ends.push({ device, locals, remotes });
    if (!json) io.out(formatAddresses(service, locals, remotes));
  };
  const { runPingPong } = await importRun();
  let result: PingPongResult;
  try {
    result = await runPingPong({ ...options, packets: trace !== null }, onConnected, (device) => {
      if (counters) counted.push(...readCounters(device));
    });
  } catch (error) {
    io.out(json ? '' : formatCounters(counted));
    throw error;
  }
  trace?.write(ends[0].device);
  const text = { ...jsonOf(options, ends[0], result), ...(counters && { counters: counted }) };
  io.out(json ? toJson(text) : formatResult(result, options) + formatCounters(counted));
  if (result.invalidPages.length > 0) throw new ToolFailure();
}

interface Ends {
  readonly device: string;
  readonly locals: readonly PingPongAddress[];
  readonly remotes: readonly PingPongAddress[];
}

/** `local` and `remote` are lists where there can be several QPs. */
function jsonOf(options: PingPongOptions, { device, locals, remotes }: Ends, result: PingPongResult): object {
  const { seconds, bytes } = result;
  const ends = SERVICES[options.service].hasSrq
    ? { local: locals, remote: remotes }
    : { local: locals[0], remote: remotes[0] };
  const rates = { mbitPerSec: (bytes * 8) / seconds / 1e6, usecPerIter: (seconds * 1e6) / totalIters(options) };
  return { ...options, device, ...ends, ...result, ...rates };
}

function checkReceives({ numQp, rxDepth }: PingPongOptions): void {
  if (numQp <= rxDepth) return;
  throw new UsageError(
    `${rxDepth} receives are too few for ${numQp} queue pairs: each of them needs one`,
    `raise --rx-depth to ${numQp}, or lower --num-qp`,
  );
}

function toPingPongOptions(service: ServiceName, options: CommandOptions): PingPongOptions {
  const defaults = defaultOptions(service);
  const numQp = options.numQp ?? options.clients ?? defaults.numQp;
  // As in xsrq_pingpong.c, one receive for each client.
  const rxDepth = SERVICES[service].isExtended ? numQp : (options.rxDepth ?? defaults.rxDepth);
  return {
    service,
    ...faultsOf(options),
    provider: options.provider,
    device: options.ibDev,
    peerDevice: options.peerIbDev,
    port: options.ibPort,
    size: options.size,
    mtu: options.mtu ?? defaults.mtu,
    numQp,
    rxDepth,
    iters: options.iters ?? options.num_tests ?? options.numTests ?? defaults.iters,
    sl: options.sl,
    gidIndex: options.gidIdx,
    events: options.events === true,
    odp: options.odp === true,
    check: options.chk === true,
    threads: options.threads,
    giveUpMs: options.giveUpMs,
  };
}
