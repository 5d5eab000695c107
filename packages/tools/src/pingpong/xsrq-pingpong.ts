/** `ibv_xsrq_pingpong`. */
import type { Command } from 'commander';
import { type ToolIo, processIo } from '../cli/io.ts';
import { pingPongCommand } from './command.ts';

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function xsrqPingpongCommand(path = 'ibv_xsrq_pingpong', io: ToolIo = processIo): Command {
  const description =
    'Send messages to and fro between a server and clients over XRC: the clients share an XRC domain, and each message names the ' +
    'receive queue that it is for, whatever connection it takes.';
  const examples = [
    ['--self', '5 exchanges with one client'],
    ['--self --threads 2 -c 4 -s 64 -n 10000', 'small messages, 4 clients'],
    ['--self -c 16 --chk', '16 clients; checked'],
    ['--self -e', 'with completion events'],
    ['--self --json -n 1000', 'with times'],
    ['--self -c 4 --chk --drop 0.01 --seed 7', 'on a network that loses packets'],
  ] as const;
  return pingPongCommand('XSRQ', path, { description, examples }, io);
}
