/** The part of `npm start` that says what devices there are. */
import { type Device, linkLayerStr, mtuToBytes, portStateStr } from 'openverbs';

/** A row for each port of each device. */
export function deviceRows(devices: readonly Device[]): string[][] {
  const rows: string[][] = [];
  for (const device of devices) {
    using context = device.open();
    const ports = context.queryDevice().physPortCnt;
    for (let port = 1; port <= ports; port++) {
      const { state, linkLayer, activeMtu } = context.queryPort(port);
      rows.push([
        device.name,
        `provider ${device.provider}`,
        `port ${port} ${portStateStr(state)}`,
        linkLayerStr(linkLayer),
        `MTU ${mtuToBytes(activeMtu)}`,
      ]);
    }
  }
  return rows;
}
