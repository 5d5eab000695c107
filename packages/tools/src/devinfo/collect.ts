/** Everything that `ibv_devinfo` prints of a device, gathered before a line is printed. */
import { type Context, type Device, type DeviceAttr, type GidEntry, type PortAttr, VerbsError } from '@openverbs/verbs';

/** One port of a device. */
export interface PortInfo {
  readonly port: number;
  readonly attr: PortAttr;
  /** The entries of the GID table that are in use; empty unless they were asked for. */
  readonly gids: readonly GidEntry[];
}

/** One device and the ports that were asked for. */
export interface DeviceInfo {
  readonly name: string;
  readonly provider: string;
  readonly nodeType: number;
  readonly transportType: number;
  readonly attr: DeviceAttr;
  readonly ports: readonly PortInfo[];
}

/** What to gather. */
export interface CollectOptions {
  /** One port only; all of them when left out. */
  readonly port?: number | undefined;
  /** Read the GID tables too. */
  readonly gids?: boolean | undefined;
}

/** Opens `device`, queries it and closes it again. Throws EINVAL for a port that it does not have. */
export function collectDeviceInfo(device: Device, options: CollectOptions = {}): DeviceInfo {
  using context = device.open();
  const attr = context.queryDevice();
  return {
    name: device.name,
    provider: device.provider,
    nodeType: device.nodeType,
    transportType: device.transportType,
    attr,
    ports: portsOf(device, attr, options.port).map((port) => collectPort(context, port, options.gids === true)),
  };
}

function portsOf(device: Device, attr: DeviceAttr, wanted: number | undefined): number[] {
  const ports = Array.from({ length: attr.physPortCnt }, (_, i) => i + 1);
  if (wanted === undefined) return ports;
  if (ports.includes(wanted)) return [wanted];
  throw new VerbsError({
    code: 'EINVAL',
    verb: 'ibv_query_port',
    message: `${device.name} has no port ${wanted}`,
    hint: ports.length === 1 ? 'it has port 1 only' : `its ports are 1 to ${ports.length}`,
  });
}

function collectPort(context: Context, port: number, withGids: boolean): PortInfo {
  // As the C tool has it, an entry without an interface identifier is unused.
  const isUsed = ({ portNum, gid }: GidEntry): boolean => portNum === port && gid.interfaceId !== 0n;
  return { port, attr: context.queryPort(port), gids: withGids ? context.queryGidTable().filter(isUsed) : [] };
}
