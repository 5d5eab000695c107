/** `ibv_devices`: lists the devices. */
import type { Command } from 'commander';
import { guidStr } from '@openverbs/verbs';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import type * as opening from '../cli/open.ts';
import { type CommonOptions, addExamples, createCommand } from '../cli/options.ts';
import { formatDevices } from './format.ts';

/** The command, under the name of the C tool or as a subcommand of `openverbs`. */
export function devicesCommand(path = 'ibv_devices', io: ToolIo = processIo): Command {
  const command = createCommand(path, 'List the RDMA devices and their GUIDs.');
  addExamples(command, [
    [path, 'the devices of the configured provider'],
    [`${path} --provider emulated`, 'those of one provider'],
    [`${path} --json`, 'the same for programs'],
  ]);
  return command.action(async (options: CommonOptions) => {
    listDevices(options, io, await import('../cli/open.ts'));
  });
}

function listDevices(options: CommonOptions, io: ToolIo, { openFor }: typeof opening): void {
  using verbs = openFor(options);
  if (!options.json) return io.out(formatDevices(verbs.devices));
  const devices = verbs.devices.map((device) => ({
    name: device.name,
    provider: device.provider,
    guid: guidStr(device.guid),
  }));
  io.out(toJson({ devices }));
}
