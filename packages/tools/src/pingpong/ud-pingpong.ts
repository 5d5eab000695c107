/** `ibv_ud_pingpong`. */
import type { Command } from 'commander';
import { type ToolIo, processIo } from '../cli/io.ts';
import { pingPongCommand } from './command.ts';

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function udPingpongCommand(path = 'ibv_ud_pingpong', io: ToolIo = processIo): Command {
  const description = 'Send datagrams to and fro between two UD queue pairs and time them.';
  const examples = [
    ['--self', '1000 exchanges of 1024 bytes'],
    ['--self --threads 2 -s 64 -n 100000', 'the latency of small messages'],
    ['--self -s 4096 -c', 'the largest ones, checked'],
    ['--self -e', 'with completion events'],
    ['--self --drop 0.01 --seed 7', 'gives up at the first packet lost'],
  ] as const;
  return pingPongCommand('UD', path, { description, examples }, io);
}
