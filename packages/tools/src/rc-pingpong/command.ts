/** `ibv_rc_pingpong`: measures how long messages take between two RC queue pairs. */
import type { Command } from 'commander';
import { faultsOf } from '../cli/faults.ts';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import { type CommonOptions, addExamples, createCommand, integerArgument, oneOfArgument } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { UsageError } from '../cli/usage-error.ts';
import { formatAddresses, formatResult } from './format.ts';
import { DEFAULT_OPTIONS, MTU_CHOICES, type PingPongOptions } from './options.ts';
import { runPingPong } from './run.ts';
import type { PingPongAddress } from './side.ts';

const INT32_MAX = 2 ** 31 - 1;

interface CommandOptions extends CommonOptions {
  readonly self?: boolean;
  readonly threads: 1 | 2;
  readonly port?: number;
  readonly ibDev?: string;
  readonly ibPort: number;
  readonly size: number;
  readonly mtu: number;
  readonly rxDepth: number;
  readonly iters: number;
  readonly sl: number;
  readonly events?: boolean;
  readonly gidIdx?: number;
  readonly chk?: boolean;
}

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function rcPingpongCommand(path = 'ibv_rc_pingpong', io: ToolIo = processIo): Command {
  const { iters, mtu, port, rxDepth, size, sl, threads } = DEFAULT_OPTIONS;
  const command = createCommand(path, 'Send messages to and fro between two RC queue pairs and time them.')
    .argument('[host]', 'the other process; not there yet, use --self')
    .option('--self', 'both ends in this process')
    .option('--threads <n>', 'with --self: both ends on one thread, or on two', oneOfArgument([1, 2]), threads)
    .option('-p, --port <port>', 'TCP port to meet the other process at; not there yet', integerArgument(1, 65535))
    .option('-d, --ib-dev <dev>', 'device (default: the first one)')
    .option('-i, --ib-port <port>', 'port of the device', integerArgument(1, 255), port)
    .option('-s, --size <size>', 'bytes of a message', integerArgument(1, INT32_MAX), size)
    .option('-m, --mtu <size>', `path MTU: ${MTU_CHOICES.join(', ')}`, oneOfArgument(MTU_CHOICES), mtu)
    .option('-r, --rx-depth <dep>', 'receives to keep posted', integerArgument(1, INT32_MAX), rxDepth)
    .option('-n, --iters <iters>', 'number of exchanges', integerArgument(1, INT32_MAX), iters)
    .option('-l, --sl <sl>', 'service level', integerArgument(0, 15), sl)
    .option('-e, --events', 'sleep on CQ events instead of polling')
    .option('-g, --gid-idx <index>', 'index of the local GID (default: 0 on Ethernet)', integerArgument(0, 65535))
    .option('-c, --chk', 'compare what arrives with what was sent');
  addExamples(command, [
    [`${path} --self`, '1000 exchanges of 4096 bytes'],
    [`${path} --self --threads 2 -s 64 -n 100000`, 'the latency of small messages'],
    [`${path} --self -s 1048576 -m 4096 -c`, 'large ones, checked'],
    [`${path} --self -e`, 'with completion events'],
    [`${path} --self -c --drop 0.01 --seed 7`, 'on a network that loses packets'],
  ]);
  return command.action((host: string | undefined, options: CommandOptions) => pingPong(host, options, io));
}

async function pingPong(host: string | undefined, commandOptions: CommandOptions, io: ToolIo): Promise<void> {
  if (!commandOptions.self || host !== undefined) {
    throw new UsageError(
      'only --self, both ends in this process, is there for now; meeting another process comes later',
      'try --self, or --self --threads 2',
    );
  }
  const options = toPingPongOptions(commandOptions);
  const ends: { device: string; local: PingPongAddress; remote: PingPongAddress }[] = [];
  const result = await runPingPong(options, (device, local, remote) => {
    ends.push({ device, local, remote });
    if (!commandOptions.json) io.out(formatAddresses(local, remote));
  });
  if (commandOptions.json) {
    const { seconds, bytes } = result;
    const rates = { mbitPerSec: (bytes * 8) / seconds / 1e6, usecPerIter: (seconds * 1e6) / options.iters };
    io.out(toJson({ ...options, ...ends[0], ...result, ...rates }));
  } else {
    io.out(formatResult(result, options.iters));
  }
  if (result.invalidPages.length > 0) throw new ToolFailure();
}

function toPingPongOptions(options: CommandOptions): PingPongOptions {
  return {
    ...faultsOf(options),
    provider: options.provider,
    device: options.ibDev,
    port: options.ibPort,
    size: options.size,
    mtu: options.mtu,
    rxDepth: options.rxDepth,
    iters: options.iters,
    sl: options.sl,
    gidIndex: options.gidIdx,
    events: options.events === true,
    check: options.chk === true,
    threads: options.threads,
  };
}
