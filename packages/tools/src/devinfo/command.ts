/** `ibv_devinfo`: prints what the devices are and can do. */
import type { Command } from 'commander';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import type * as opening from '../cli/open.ts';
import { type CommonOptions, addExamples, createCommand, integerArgument } from '../cli/options.ts';
import { collectDeviceInfo } from './collect.ts';
import { formatDeviceInfo, formatDeviceList } from './format.ts';
import { deviceInfoToJson } from './json.ts';

interface DevinfoOptions extends CommonOptions {
  readonly ibDev?: string;
  readonly ibPort?: number;
  readonly list?: boolean;
  readonly verbose?: boolean;
}

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function devinfoCommand(path = 'ibv_devinfo', io: ToolIo = processIo): Command {
  const command = createCommand(path, 'Print the attributes of the RDMA devices.')
    .option('-d, --ib-dev <dev>', 'this device only (default: all)')
    .option('-i, --ib-port <port>', 'this port only (default: all)', integerArgument(1, 255))
    .option('-l, --list', 'only the names of the devices')
    .option('-v, --verbose', 'all attributes, and the GID tables');
  addExamples(command, [
    [path, 'all devices, briefly'],
    [`${path} -v -d emulated0`, 'all there is to know of one'],
    [`${path} -l`, 'their names'],
    [`${path} --json`, 'everything, for programs'],
  ]);
  return command.action(async (options: DevinfoOptions) => {
    printDevinfo(options, io, await import('../cli/open.ts'));
  });
}

function printDevinfo(options: DevinfoOptions, io: ToolIo, { openFor, selectDevices }: typeof opening): void {
  using verbs = openFor(options);
  if (options.list) {
    const names = verbs.devices.map((device) => device.name);
    return io.out(options.json ? toJson({ devices: names }) : formatDeviceList(names));
  }
  const wanted = { port: options.ibPort, gids: options.verbose === true || options.json === true };
  const infos = selectDevices(verbs, options.ibDev).map((device) => collectDeviceInfo(device, wanted));
  if (options.json) return io.out(toJson({ devices: infos.map(deviceInfoToJson) }));
  for (const info of infos) io.out(formatDeviceInfo(info, options.verbose));
}
