/** `ibv_uc_pingpong`. */
import type { Command } from 'commander';
import { type ToolIo, processIo } from '../cli/io.ts';
import { pingPongCommand } from './command.ts';

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function ucPingpongCommand(path = 'ibv_uc_pingpong', io: ToolIo = processIo): Command {
  const description = 'Send messages to and fro between two UC queue pairs and time them.';
  const examples = [
    ['--self', '1000 exchanges of 4096 bytes'],
    ['--self --threads 2 -s 64 -n 100000', 'the latency of small messages'],
    ['--self -s 1048576 -m 4096 -c', 'large ones, checked'],
    ['--self -e', 'with completion events'],
    ['--self --drop 0.01 --seed 7', 'gives up at the first packet lost'],
  ] as const;
  return pingPongCommand('UC', path, { description, examples }, io);
}
