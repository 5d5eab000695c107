/** `ibv_srq_pingpong`. */
import type { Command } from 'commander';
import { type ToolIo, processIo } from '../cli/io.ts';
import { pingPongCommand } from './command.ts';

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function srqPingpongCommand(path = 'ibv_srq_pingpong', io: ToolIo = processIo): Command {
  const description = 'Send messages to and fro between RC queue pairs that share a receive queue, and time them.';
  const examples = [
    ['--self', '1000 exchanges of 4096 bytes'],
    ['--self --threads 2 -q 4 -s 64 -n 100000', '4 queue pairs, not 16'],
    ['--self -r 16 -c', 'a receive a queue pair, checked'],
    ['--self -e', 'with completion events'],
    ['--self -c --drop 0.01 --seed 7', 'on a network that loses packets'],
  ] as const;
  return pingPongCommand('SRQ', path, { description, examples }, io);
}
