/** The output of `ibv_devices`, column by column as rdma-core's libibverbs/examples/device_list.c prints it. */
import type { Device } from '@openverbs/verbs';

/** Width of the name column. */
const NAME_WIDTH = 16;

/** Two header lines, then one line a device: its name and its node GUID as 16 hexadecimal digits. */
export function formatDevices(devices: readonly Pick<Device, 'name' | 'guid'>[]): string {
  const rows: [string, string][] = [
    ['device', '   node GUID'],
    ['------', '----------------'],
  ];
  for (const { name, guid } of devices) rows.push([name, guid.toString(16).padStart(16, '0')]);
  return rows.map(([name, guid]) => `    ${name.padEnd(NAME_WIDTH)}\t${guid}\n`).join('');
}
