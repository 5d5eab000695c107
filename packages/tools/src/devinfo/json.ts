/** `ibv_devinfo --json`: the attributes under the SDK's names, with the words of the text beside the numbers. */
import { guidStr, mtuToBytes } from '@openverbs/verbs';
import type { DeviceInfo, PortInfo } from './collect.ts';
import { linkLayerName, physStateName, portStateName, transportName } from './names.ts';

/** `info` as JSON can hold it. */
export function deviceInfoToJson(info: DeviceInfo): Record<string, unknown> {
  return {
    ...info,
    transportName: transportName(info.transportType),
    attr: {
      ...info.attr,
      nodeGuid: guidStr(info.attr.nodeGuid),
      sysImageGuid: guidStr(info.attr.sysImageGuid),
    },
    ports: info.ports.map(portToJson),
  };
}

function portToJson({ port, attr, gids }: PortInfo): Record<string, unknown> {
  return {
    port,
    stateName: portStateName(attr.state),
    physStateName: physStateName(attr.physState),
    linkLayerName: linkLayerName(attr.linkLayer),
    maxMtuBytes: mtuToBytes(attr.maxMtu),
    activeMtuBytes: mtuToBytes(attr.activeMtu),
    attr,
    gids: gids.map(({ gid, gidIndex, gidType }) => ({ index: gidIndex, gid: gid.toString(), type: gidType })),
  };
}
