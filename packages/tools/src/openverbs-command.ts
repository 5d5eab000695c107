/** `openverbs`: all tools under one name. What a tool needs to do its work is imported when it does, so that help costs no more than options. */
import { Command } from 'commander';
import { type ToolIo, processIo } from './cli/io.ts';
import { addExamples, toolsVersion } from './cli/options.ts';
import { conformanceCommand } from './conformance/command.ts';
import { devicesCommand } from './devices/command.ts';
import { devinfoCommand } from './devinfo/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { rcPingpongCommand } from './pingpong/rc-pingpong.ts';
import { srqPingpongCommand } from './pingpong/srq-pingpong.ts';
import { ucPingpongCommand } from './pingpong/uc-pingpong.ts';
import { udPingpongCommand } from './pingpong/ud-pingpong.ts';
import { xentopCommand } from './xentop/command.ts';
import { xsrqPingpongCommand } from './pingpong/xsrq-pingpong.ts';

/** The command with its subcommands. */
export function openverbsCommand(io: ToolIo = processIo): Command {
  const command = new Command('openverbs')
    .description('RDMA verbs for TypeScript: look at devices, try them, find out what is wrong.')
    .version(toolsVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .addCommand(conformanceCommand(io).summary('run the conformance suite'))
    .addCommand(devicesCommand('openverbs devices', io).summary('list the devices'))
    .addCommand(devinfoCommand('openverbs devinfo', io).summary('print what they can do'))
    .addCommand(doctorCommand(io).summary('say what is wrong, if anything'))
    .addCommand(rcPingpongCommand('openverbs rc-pingpong', io).summary('time messages over RC'))
    .addCommand(srqPingpongCommand('openverbs srq-pingpong', io).summary('time messages with an SRQ'))
    .addCommand(ucPingpongCommand('openverbs uc-pingpong', io).summary('time messages over UC'))
    .addCommand(udPingpongCommand('openverbs ud-pingpong', io).summary('time datagrams'))
    .addCommand(xentopCommand('openverbs xentop', io).summary('show what guests do, live'))
    .addCommand(xsrqPingpongCommand('openverbs xsrq-pingpong', io).summary('time messages over XRC'));
  return addExamples(command, [
    ['openverbs doctor', 'is everything as it should be?'],
    ['openverbs devinfo -v', 'what can the devices do?'],
    ['openverbs rc-pingpong --self', 'how fast are they?'],
    ['openverbs xentop', 'what do the guests of the split driver do?'],
  ]);
}
