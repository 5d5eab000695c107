/** Hardware counters of a device's ports, for tools that print them after a run. */
import type { Device } from '@openverbs/verbs';
import { formatTable } from './plain-table.ts';

/** The counters of one port. */
export interface PortCounters {
  readonly device: string;
  readonly port: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** Reads the counters of all ports; nothing when the device has none. */
export function readCounters(device: Device): PortCounters[] {
  if (!device.supports('hwCounters')) return [];
  using context = device.open();
  return Array.from({ length: context.queryDevice().physPortCnt }, (_, index) => {
    const port = index + 1;
    return { device: device.name, port, counters: context.queryHwCounters(port) };
  });
}

/** A line for each counter, under a line for each port. */
export function formatCounters(ports: readonly PortCounters[]): string {
  return ports
    .map(({ device, port, counters }) => {
      const rows = Object.entries(counters).map(([name, count]) => [name, String(count)]);
      return `counters of ${device}, port ${port}:\n${formatTable(rows, ['left', 'right'])}\n`;
    })
    .join('');
}
