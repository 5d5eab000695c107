/**
 * The output of `ibv_devinfo`, line by line and column by column as rdma-core's libibverbs/examples/devinfo.c prints it, so
 * that scripts which read the one read the other.
 */
import {
  DeviceCapFlags,
  type DeviceAttr,
  GidType,
  type GidEntry,
  LinkLayer,
  TransportType,
  guidStr,
} from '@openverbs/verbs';
import type { DeviceInfo, PortInfo } from './collect.ts';
import { formatInet6 } from './inet.ts';
import * as names from './names.ts';

const { hex } = names;

/** Indentation of the names of flags. */
const FLAG_INDENT = '\t'.repeat(5);

/** Every device of this SDK has one completion vector. */
const COMP_VECTORS = 1;

/** The flags in the order of their bits; those that have a name of their own in C. */
const DEVICE_CAP_FLAGS = Object.entries(DeviceCapFlags).filter(([, bit]) => bit > 0);

/** All ports of a device; `verbose` as `-v`. */
export function formatDeviceInfo(info: DeviceInfo, verbose = false): string {
  const { attr } = info;
  const lines = [
    `hca_id:\t${info.name}`,
    `\ttransport:\t\t\t${names.transportName(info.transportType)} (${info.transportType})`,
    ...(attr.fwVer ? [`\tfw_ver:\t\t\t\t${attr.fwVer}`] : []),
    `\tnode_guid:\t\t\t${guidStr(attr.nodeGuid)}`,
    `\tsys_image_guid:\t\t\t${guidStr(attr.sysImageGuid)}`,
    `\tvendor_id:\t\t\t${hex(attr.vendorId, 4)}`,
    `\tvendor_part_id:\t\t\t${attr.vendorPartId}`,
    `\thw_ver:\t\t\t\t0x${attr.hwVer.toString(16).toUpperCase()}`,
    `\tphys_port_cnt:\t\t\t${attr.physPortCnt}`,
  ];
  if (verbose) lines.push(...attributeLines(attr), ...extendedLines(attr));
  for (const port of info.ports) lines.push(...portLines(port, info, verbose), '');
  return lines.map((line) => `${line}\n`).join('');
}

/** The list of `ibv_devinfo -l`. */
export function formatDeviceList(deviceNames: readonly string[]): string {
  const count = deviceNames.length;
  return `${count} HCA${count === 1 ? '' : 's'} found:\n${deviceNames.map((name) => `\t${name}\n`).join('')}\n`;
}

function attributeLines(attr: DeviceAttr): string[] {
  return [
    `\tmax_mr_size:\t\t\t${hex(attr.maxMrSize)}`,
    `\tpage_size_cap:\t\t\t${hex(attr.pageSizeCap)}`,
    `\tmax_qp:\t\t\t\t${attr.maxQp}`,
    `\tmax_qp_wr:\t\t\t${attr.maxQpWr}`,
    `\tdevice_cap_flags:\t\t${hex(attr.deviceCapFlags >>> 0, 8)}`,
    ...deviceCapLines(attr.deviceCapFlags),
    `\tmax_sge:\t\t\t${attr.maxSge}`,
    `\tmax_sge_rd:\t\t\t${attr.maxSgeRd}`,
    `\tmax_cq:\t\t\t\t${attr.maxCq}`,
    `\tmax_cqe:\t\t\t${attr.maxCqe}`,
    `\tmax_mr:\t\t\t\t${attr.maxMr}`,
    `\tmax_pd:\t\t\t\t${attr.maxPd}`,
    `\tmax_qp_rd_atom:\t\t\t${attr.maxQpRdAtom}`,
    `\tmax_ee_rd_atom:\t\t\t${attr.maxEeRdAtom}`,
    `\tmax_res_rd_atom:\t\t${attr.maxResRdAtom}`,
    `\tmax_qp_init_rd_atom:\t\t${attr.maxQpInitRdAtom}`,
    `\tmax_ee_init_rd_atom:\t\t${attr.maxEeInitRdAtom}`,
    `\tatomic_cap:\t\t\t${names.atomicCapName(attr.atomicCap)} (${attr.atomicCap})`,
    `\tmax_ee:\t\t\t\t${attr.maxEe}`,
    `\tmax_rdd:\t\t\t${attr.maxRdd}`,
    `\tmax_mw:\t\t\t\t${attr.maxMw}`,
    `\tmax_raw_ipv6_qp:\t\t${attr.maxRawIpv6Qp}`,
    `\tmax_raw_ethy_qp:\t\t${attr.maxRawEthyQp}`,
    `\tmax_mcast_grp:\t\t\t${attr.maxMcastGrp}`,
    `\tmax_mcast_qp_attach:\t\t${attr.maxMcastQpAttach}`,
    `\tmax_total_mcast_qp_attach:\t${attr.maxTotalMcastQpAttach}`,
    `\tmax_ah:\t\t\t\t${attr.maxAh}`,
    `\tmax_fmr:\t\t\t${attr.maxFmr}`,
    ...(attr.maxFmr ? [`\tmax_map_per_fmr:\t\t${attr.maxMapPerFmr}`] : []),
    `\tmax_srq:\t\t\t${attr.maxSrq}`,
    ...(attr.maxSrq ? [`\tmax_srq_wr:\t\t\t${attr.maxSrqWr}`, `\tmax_srq_sge:\t\t\t${attr.maxSrqSge}`] : []),
    `\tmax_pkeys:\t\t\t${attr.maxPkeys}`,
    `\tlocal_ca_ack_delay:\t\t${attr.localCaAckDelay}`,
  ];
}

function deviceCapLines(flags: number): string[] {
  const lines = DEVICE_CAP_FLAGS.filter(([, bit]) => flags & bit).map(([name]) => FLAG_INDENT + name);
  const unknown = DEVICE_CAP_FLAGS.reduce((rest, [, bit]) => rest & ~bit, flags) >>> 0;
  if (unknown) lines.push(`${FLAG_INDENT}Unknown flags: 0x${unknown.toString(16).toUpperCase()}`);
  return lines;
}

/** What `ibv_query_device_ex` adds in C, with the values of a device that offers none of it. */
function extendedLines(attr: DeviceAttr): string[] {
  const odpTransports = ['rc', 'uc', 'ud', 'xrc'].flatMap((name) => [
    `\t${name}_odp_caps:`,
    `${FLAG_INDENT}NO SUPPORT`,
  ]);
  return [
    '\tgeneral_odp_caps:',
    ...odpTransports,
    '\tcompletion_timestamp_mask not supported',
    '\tcore clock not supported',
    `\tdevice_cap_flags_ex:\t\t0x${(attr.deviceCapFlags >>> 0).toString(16).toUpperCase()}`,
    '\ttso_caps:',
    '\t\tmax_tso:\t\t\t0',
    '\trss_caps:',
    '\t\tmax_rwq_indirection_tables:\t\t\t0',
    '\t\tmax_rwq_indirection_table_size:\t\t\t0',
    '\t\trx_hash_function:\t\t\t\t0x0',
    '\t\trx_hash_fields_mask:\t\t\t\t0x0',
    '\tmax_wq_type_rq:\t\t\t0',
    '\tpacket_pacing_caps:',
    '\t\tqp_rate_limit_min:\t0kbps',
    '\t\tqp_rate_limit_max:\t0kbps',
    '\ttag matching not supported',
    `\tnum_comp_vectors:\t\t${COMP_VECTORS}`,
  ];
}

function portLines({ port, attr, gids }: PortInfo, info: DeviceInfo, verbose: boolean): string[] {
  const lines = [
    `\t\tport:\t${port}`,
    `\t\t\tstate:\t\t\t${names.portStateName(attr.state)} (${attr.state})`,
    `\t\t\tmax_mtu:\t\t${names.mtuName(attr.maxMtu)} (${attr.maxMtu})`,
    `\t\t\tactive_mtu:\t\t${names.mtuName(attr.activeMtu)} (${attr.activeMtu})`,
    `\t\t\tsm_lid:\t\t\t${attr.smLid}`,
    `\t\t\tport_lid:\t\t${attr.lid}`,
    `\t\t\tport_lmc:\t\t${hex(attr.lmc, 2)}`,
    `\t\t\tlink_layer:\t\t${names.linkLayerName(attr.linkLayer)}`,
  ];
  if (!verbose) return lines;
  const speed = attr.activeSpeed;
  lines.push(
    `\t\t\tmax_msg_sz:\t\t${hex(attr.maxMsgSz)}`,
    `\t\t\tport_cap_flags:\t\t${hex(attr.portCapFlags >>> 0, 8)}`,
    `\t\t\tport_cap_flags2:\t${hex(attr.portCapFlags2, 4)}`,
    `\t\t\tmax_vl_num:\t\t${names.virtualLanesName(attr.maxVlNum)} (${attr.maxVlNum})`,
    `\t\t\tbad_pkey_cntr:\t\t${hex(attr.badPkeyCntr)}`,
    `\t\t\tqkey_viol_cntr:\t\t${hex(attr.qkeyViolCntr)}`,
    `\t\t\tsm_sl:\t\t\t${attr.smSl}`,
    `\t\t\tpkey_tbl_len:\t\t${attr.pkeyTblLen}`,
    `\t\t\tgid_tbl_len:\t\t${attr.gidTblLen}`,
    `\t\t\tsubnet_timeout:\t\t${attr.subnetTimeout}`,
    `\t\t\tinit_type_reply:\t${attr.initTypeReply}`,
    `\t\t\tactive_width:\t\t${names.widthName(attr.activeWidth)}X (${attr.activeWidth})`,
    `\t\t\tactive_speed:\t\t${names.speedName(speed)} (${speed})`,
  );
  if (info.transportType === TransportType.IB) {
    lines.push(`\t\t\tphys_state:\t\t${names.physStateName(attr.physState)} (${attr.physState})`);
  }
  return [...lines, ...gids.map((entry) => gidLine(entry, attr.linkLayer))];
}

/** RoCE v2 in the notation of IPv6 addresses, anything else as eight groups; the type only on Ethernet. */
function gidLine({ gid, gidIndex, gidType }: GidEntry, linkLayer: number): string {
  const isV2 = gidType === GidType.ROCE_V2;
  const type = linkLayer === LinkLayer.ETHERNET ? `, RoCE v${isV2 ? 2 : 1}` : '';
  return `\t\t\tGID[${String(gidIndex).padStart(3)}]:\t\t${isV2 ? formatInet6(gid.bytes) : gid.toString()}${type}`;
}
