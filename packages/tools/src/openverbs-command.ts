/** `openverbs`: all tools under one name. */
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
    .addCommand(conformanceCommand(io))
    .addCommand(devicesCommand('openverbs devices', io))
    .addCommand(devinfoCommand('openverbs devinfo', io))
    .addCommand(doctorCommand(io))
    .addCommand(rcPingpongCommand('openverbs rc-pingpong', io))
    .addCommand(srqPingpongCommand('openverbs srq-pingpong', io))
    .addCommand(ucPingpongCommand('openverbs uc-pingpong', io))
    .addCommand(udPingpongCommand('openverbs ud-pingpong', io))
    .addCommand(xentopCommand('openverbs xentop', io))
    .addCommand(xsrqPingpongCommand('openverbs xsrq-pingpong', io));
  return addExamples(command, [
    ['openverbs doctor', 'is everything as it should be?'],
    ['openverbs devinfo -v', 'what can the devices do?'],
    ['openverbs rc-pingpong --self', 'how fast are they?'],
    ['openverbs xentop', 'what do the guests of the split driver do?'],
  ]);
}
