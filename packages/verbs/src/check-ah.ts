/** Checks and completes address vectors. */
import type { AhAttr, AhAttrInit, GlobalRoute, GlobalRouteInit } from './attributes/address.ts';
import { checkInteger } from './check.ts';
import type { Context } from './context.ts';
import { LinkLayer } from './enums/port.ts';
import { invalid } from './errors.ts';
import { toGid } from './gid.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';

/** Of a route that names none. */
export const HOP_LIMIT_DEFAULT = 64;
const AH_KEYS = literalKeys<AhAttr>({
  grh: true,
  dlid: true,
  sl: true,
  srcPathBits: true,
  staticRate: true,
  isGlobal: true,
  portNum: true,
});
const ROUTE_KEYS = literalKeys<GlobalRoute>({
  dgid: true,
  flowLabel: true,
  sgidIndex: true,
  hopLimit: true,
  trafficClass: true,
});

/** Fills in what `init` leaves out, and checks it against the port. `what` names it in errors, for example `ahAttr`. */
export function checkAhAttr(verb: string, context: Context, what: string, init: AhAttrInit): AhAttr {
  checkLiteral(verb, what, init, AH_KEYS);
  const { dlid = 0, sl = 0, srcPathBits = 0, staticRate = 0, portNum = 1, isGlobal = init.grh !== undefined } = init;
  checkInteger(verb, `${what}.portNum`, portNum, 1, context.queryDevice().physPortCnt, 'ports of the device');
  checkInteger(verb, `${what}.dlid`, dlid, 0, 0xffff, '16 bits');
  checkInteger(verb, `${what}.sl`, sl, 0, 0xf, '4 bits');
  checkInteger(verb, `${what}.srcPathBits`, srcPathBits, 0, 0x7f, '7 bits');
  checkInteger(verb, `${what}.staticRate`, staticRate, 0, 0xff, '8 bits');
  const port = context.queryPort(portNum);
  // RoCE has no LIDs: the GRH is the address.
  if (!isGlobal && port.linkLayer === LinkLayer.ETHERNET) {
    const hint = `set ${what}.isGlobal and ${what}.grh with the peer's GID and your sgidIndex`;
    throw invalid(verb, `${what} has no global route, and port ${portNum} is Ethernet`, hint, { what, portNum });
  }
  const vector = { dlid, sl, srcPathBits, staticRate, isGlobal, portNum };
  if (!isGlobal) return vector;
  if (init.grh === undefined) throw invalid(verb, `${what}.isGlobal is set without ${what}.grh`);
  return { ...vector, grh: checkRoute(verb, `${what}.grh`, init.grh, port.gidTblLen) };
}

function checkRoute(verb: string, what: string, init: GlobalRouteInit, gidTblLen: number): GlobalRoute {
  checkLiteral(verb, what, init, ROUTE_KEYS);
  const { flowLabel = 0, sgidIndex = 0, hopLimit = HOP_LIMIT_DEFAULT, trafficClass = 0 } = init;
  const dgid = toGid(verb, `${what}.dgid`, init.dgid);
  checkInteger(verb, `${what}.flowLabel`, flowLabel, 0, 0xfffff, '20 bits');
  checkInteger(verb, `${what}.sgidIndex`, sgidIndex, 0, gidTblLen - 1, 'gidTblLen of the port');
  checkInteger(verb, `${what}.hopLimit`, hopLimit, 0, 0xff, '8 bits');
  checkInteger(verb, `${what}.trafficClass`, trafficClass, 0, 0xff, '8 bits');
  return { dgid, flowLabel, sgidIndex, hopLimit, trafficClass };
}
