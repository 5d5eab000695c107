import { expect } from 'chai';
import * as verbs from '../src/index.ts';

/** C's values, from `infiniband/verbs.h`: names without their prefix, in order; `=` sets the value, others count on. */
const C_ENUMS: Readonly<Record<string, string>> = {
  NodeType: 'UNKNOWN=-1 CA=1 SWITCH ROUTER RNIC USNIC USNIC_UDP UNSPECIFIED',
  TransportType: 'UNKNOWN=-1 IB=0 IWARP USNIC USNIC_UDP UNSPECIFIED',
  DeviceCapFlags:
    'RESIZE_MAX_WR=1 BAD_PKEY_CNTR=2 BAD_QKEY_CNTR=4 RAW_MULTI=8 AUTO_PATH_MIG=0x10 CHANGE_PHY_PORT=0x20 ' +
    'UD_AV_PORT_ENFORCE=0x40 CURR_QP_STATE_MOD=0x80 SHUTDOWN_PORT=0x100 INIT_TYPE=0x200 PORT_ACTIVE_EVENT=0x400 ' +
    'SYS_IMAGE_GUID=0x800 RC_RNR_NAK_GEN=0x1000 SRQ_RESIZE=0x2000 N_NOTIFY_CQ=0x4000 MEM_WINDOW=0x20000 ' +
    'UD_IP_CSUM=0x40000 XRC=0x100000 MEM_MGT_EXTENSIONS=0x200000 MEM_WINDOW_TYPE_2A=0x800000 ' +
    'MEM_WINDOW_TYPE_2B=0x1000000 RC_IP_CSUM=0x2000000 RAW_IP_CSUM=0x4000000 MANAGED_FLOW_STEERING=0x20000000',
  WcExFlags:
    'BYTE_LEN=1 IMM=2 QP_NUM=4 SRC_QP=8 SLID=0x10 SL=0x20 DLID_PATH_BITS=0x40 COMPLETION_TIMESTAMP=0x80 CVLAN=0x100 ' +
    'FLOW_TAG=0x200 TM_INFO=0x400 COMPLETION_TIMESTAMP_WALLCLOCK=0x800',
  CreateCqFlags: 'SINGLE_THREADED=1 IGNORE_OVERRUN=2',
  CqAttrMask: 'MODERATE=1',
  QpDataInOrderFlags: 'RETURN_CAPS=1 DEVICE_ONLY=2',
  QpDataInOrderCaps: 'WHOLE_MSG=1 ALIGNED_128_BYTES=2',
  ForkStatus: 'DISABLED=0 ENABLED UNNEEDED',
  AtomicCap: 'NONE=0 HCA GLOB',
  Mtu: 'MTU_256=1 MTU_512 MTU_1024 MTU_2048 MTU_4096',
  PortState: 'NOP=0 DOWN INIT ARMED ACTIVE ACTIVE_DEFER',
  LinkLayer: 'UNSPECIFIED=0 INFINIBAND ETHERNET',
  PortCapFlags:
    'SM=2 NOTICE_SUP=4 TRAP_SUP=8 OPT_IPD_SUP=0x10 AUTO_MIGR_SUP=0x20 SL_MAP_SUP=0x40 MKEY_NVRAM=0x80 PKEY_NVRAM=0x100 ' +
    'LED_INFO_SUP=0x200 SYS_IMAGE_GUID_SUP=0x800 PKEY_SW_EXT_PORT_TRAP_SUP=0x1000 EXTENDED_SPEEDS_SUP=0x4000 ' +
    'CAP_MASK2_SUP=0x8000 CM_SUP=0x10000 SNMP_TUNNEL_SUP=0x20000 REINIT_SUP=0x40000 DEVICE_MGMT_SUP=0x80000 ' +
    'VENDOR_CLASS_SUP=0x100000 DR_NOTICE_SUP=0x200000 CAP_MASK_NOTICE_SUP=0x400000 BOOT_MGMT_SUP=0x800000 ' +
    'LINK_LATENCY_SUP=0x1000000 CLIENT_REG_SUP=0x2000000 IP_BASED_GIDS=0x4000000',
  PortCapFlags2:
    'SET_NODE_DESC_SUP=1 INFO_EXT_SUP=2 VIRT_SUP=4 SWITCH_PORT_STATE_TABLE_SUP=8 LINK_WIDTH_2X_SUP=0x10 ' +
    'LINK_SPEED_HDR_SUP=0x20 LINK_SPEED_NDR_SUP=0x400 LINK_SPEED_XDR_SUP=0x1000',
  EventType:
    'CQ_ERR=0 QP_FATAL QP_REQ_ERR QP_ACCESS_ERR COMM_EST SQ_DRAINED PATH_MIG PATH_MIG_ERR DEVICE_FATAL PORT_ACTIVE ' +
    'PORT_ERR LID_CHANGE PKEY_CHANGE SM_CHANGE SRQ_ERR SRQ_LIMIT_REACHED QP_LAST_WQE_REACHED CLIENT_REREGISTER ' +
    'GID_CHANGE WQ_FATAL DEVICE_SPEED_CHANGE',
  WcStatus:
    'SUCCESS=0 LOC_LEN_ERR LOC_QP_OP_ERR LOC_EEC_OP_ERR LOC_PROT_ERR WR_FLUSH_ERR MW_BIND_ERR BAD_RESP_ERR ' +
    'LOC_ACCESS_ERR REM_INV_REQ_ERR REM_ACCESS_ERR REM_OP_ERR RETRY_EXC_ERR RNR_RETRY_EXC_ERR LOC_RDD_VIOL_ERR ' +
    'REM_INV_RD_REQ_ERR REM_ABORT_ERR INV_EECN_ERR INV_EEC_STATE_ERR FATAL_ERR RESP_TIMEOUT_ERR GENERAL_ERR TM_ERR ' +
    'TM_RNDV_INCOMPLETE',
  WcOpcode:
    'SEND=0 RDMA_WRITE RDMA_READ COMP_SWAP FETCH_ADD BIND_MW LOCAL_INV TSO FLUSH ATOMIC_WRITE=9 RECV=128 ' +
    'RECV_RDMA_WITH_IMM TM_ADD TM_DEL TM_SYNC TM_RECV TM_NO_TAG DRIVER1 DRIVER2 DRIVER3',
  WcFlags: 'GRH=1 WITH_IMM=2 IP_CSUM_OK=4 WITH_INV=8 TM_SYNC_REQ=16 TM_MATCH=32 TM_DATA_VALID=64',
  AccessFlags:
    'LOCAL_WRITE=1 REMOTE_WRITE=2 REMOTE_READ=4 REMOTE_ATOMIC=8 MW_BIND=16 ZERO_BASED=32 ON_DEMAND=64 HUGETLB=128 ' +
    'FLUSH_GLOBAL=256 FLUSH_PERSISTENT=512 RELAXED_ORDERING=0x100000',
  ReregMrFlags: 'CHANGE_TRANSLATION=1 CHANGE_PD=2 CHANGE_ACCESS=4',
  MwType: 'TYPE_1=1 TYPE_2',
  Rate:
    'MAX=0 RATE_2_5_GBPS=2 RATE_5_GBPS=5 RATE_10_GBPS=3 RATE_20_GBPS=6 RATE_30_GBPS=4 RATE_40_GBPS=7 RATE_60_GBPS=8 ' +
    'RATE_80_GBPS=9 RATE_120_GBPS=10 RATE_14_GBPS=11 RATE_56_GBPS=12 RATE_112_GBPS=13 RATE_168_GBPS=14 ' +
    'RATE_25_GBPS=15 RATE_100_GBPS=16 RATE_200_GBPS=17 RATE_300_GBPS=18 RATE_28_GBPS=19 RATE_50_GBPS=20 ' +
    'RATE_400_GBPS=21 RATE_600_GBPS=22 RATE_800_GBPS=23 RATE_1200_GBPS=24',
  SrqAttrMask: 'MAX_WR=1 LIMIT=2',
  SrqType: 'BASIC=0 XRC TM',
  QpType: 'RC=2 UC UD RAW_PACKET=8 XRC_SEND=9 XRC_RECV DRIVER=0xff',
  QpAttrMask:
    'STATE=1 CUR_STATE=2 EN_SQD_ASYNC_NOTIFY=4 ACCESS_FLAGS=8 PKEY_INDEX=0x10 PORT=0x20 QKEY=0x40 AV=0x80 PATH_MTU=0x100 ' +
    'TIMEOUT=0x200 RETRY_CNT=0x400 RNR_RETRY=0x800 RQ_PSN=0x1000 MAX_QP_RD_ATOMIC=0x2000 ALT_PATH=0x4000 ' +
    'MIN_RNR_TIMER=0x8000 SQ_PSN=0x10000 MAX_DEST_RD_ATOMIC=0x20000 PATH_MIG_STATE=0x40000 CAP=0x80000 DEST_QPN=0x100000 ' +
    'RATE_LIMIT=0x2000000',
  QpState: 'RESET=0 INIT RTR RTS SQD SQE ERR UNKNOWN',
  MigState: 'MIGRATED=0 REARM ARMED',
  WrOpcode:
    'RDMA_WRITE=0 RDMA_WRITE_WITH_IMM SEND SEND_WITH_IMM RDMA_READ ATOMIC_CMP_AND_SWP ATOMIC_FETCH_AND_ADD LOCAL_INV ' +
    'BIND_MW SEND_WITH_INV TSO DRIVER1 FLUSH=14 ATOMIC_WRITE=15',
  PlacementType: 'GLOBAL=1 PERSISTENT=2',
  SelectivityLevel: 'RANGE=0 MR',
  SendFlags: 'FENCE=1 SIGNALED=2 SOLICITED=4 INLINE=8 IP_CSUM=16',
  GidType: 'IB=0 ROCE_V1 ROCE_V2',
  MrInitAttrMask: 'IOVA=1 ADDR=2 FD=4 FD_OFFSET=8 DMAH=16 BUF=32',
};

function parseC(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  let next = 0;
  for (const item of text.split(' ')) {
    const [name, value] = item.split('=');
    values[name] = value === undefined ? next : Number(value);
    next = values[name] + 1;
  }
  return values;
}

describe('enums', () => {
  const exported = verbs as unknown as Record<string, unknown>;

  for (const [name, text] of Object.entries(C_ENUMS)) {
    it(`${name} has C's names and values`, () => {
      expect(exported[name]).to.deep.equal(parseC(text));
    });
  }

  it('has a row above for every enum that is exported', () => {
    const own = [
      'Errno',
      'VendorErr',
      'QpTableType',
      'Capability',
      'DeviceCapFlagsEx',
      'LEFT_OUT',
      'TraceChannel',
      'TRACED_VERBS',
    ]; // not of verbs.h
    const enums = Object.entries(exported).filter(([name, value]) => /^[A-Z]/.test(name) && typeof value === 'object');
    expect(enums.map(([name]) => name).filter((name) => !own.includes(name))).to.have.members(Object.keys(C_ENUMS));
  });

  it('describes every value', () => {
    for (const status of Object.values(verbs.WcStatus)) expect(verbs.wcStatusStr(status)).not.to.equal('unknown');
    for (const type of Object.values(verbs.EventType)) expect(verbs.eventTypeStr(type)).not.to.equal('unknown');
    for (const state of Object.values(verbs.PortState)) expect(verbs.portStateStr(state)).not.to.equal('unknown');
    for (const type of Object.values(verbs.GidType)) expect(verbs.gidTypeStr(type)).not.to.equal('unknown');
    for (const layer of Object.values(verbs.LinkLayer)) expect(verbs.linkLayerStr(layer)).not.to.equal('Unknown');
  });

  it('describes what it does not know', () => {
    expect(verbs.wcStatusStr(99)).to.equal('unknown');
    expect(verbs.eventTypeStr(99)).to.equal('unknown');
    expect(verbs.portStateStr(99)).to.equal('unknown');
    expect(verbs.gidTypeStr(99)).to.equal('unknown');
    expect(verbs.linkLayerStr(99)).to.equal('Unknown');
    expect(verbs.nodeTypeStr(99)).to.equal('unknown');
    expect(verbs.transportTypeStr(99)).to.equal('invalid transport');
    expect(verbs.qpStateStr(99)).to.equal('99');
  });

  it('says what an event is about', () => {
    expect(verbs.eventElement(-1)).to.equal('cq');
    expect(verbs.eventElement(verbs.EventType.CQ_ERR)).to.equal('cq');
    expect(verbs.eventElement(verbs.EventType.QP_LAST_WQE_REACHED)).to.equal('qp');
    expect(verbs.eventElement(verbs.EventType.SRQ_LIMIT_REACHED)).to.equal('srq');
    expect(verbs.eventElement(verbs.EventType.GID_CHANGE)).to.equal('port');
    expect(verbs.eventElement(verbs.EventType.DEVICE_FATAL)).to.equal('device');
    expect(verbs.eventElement(99)).to.equal('device');
  });

  it('converts MTUs', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map(verbs.mtuToBytes)).to.deep.equal([0, 256, 512, 1024, 2048, 4096, 0]);
    expect([255, 256, 1500, 4096, 9000].map(verbs.bytesToMtu)).to.deep.equal([undefined, 1, 3, 5, 5]);
  });

  it('converts rates there and back', () => {
    for (const rate of Object.values(verbs.Rate)) {
      if (rate === verbs.Rate.MAX) continue;
      expect(verbs.multToRate(verbs.rateToMult(rate))).to.equal(rate);
      expect(verbs.mbpsToRate(verbs.rateToMbps(rate))).to.equal(rate);
    }
    expect(verbs.rateToMult(verbs.Rate.RATE_40_GBPS)).to.equal(16);
    expect(verbs.rateToMbps(verbs.Rate.RATE_100_GBPS)).to.equal(103125);
    expect([verbs.rateToMult(99), verbs.rateToMbps(99)]).to.deep.equal([-1, -1]);
    expect([verbs.multToRate(7), verbs.mbpsToRate(7)]).to.deep.equal([verbs.Rate.MAX, verbs.Rate.MAX]);
  });

  it('names operations, speeds and source ports', () => {
    expect([0, 6, 15, 13].map(verbs.wrOpcodeStr)).to.deep.equal([
      'rdma-write',
      'atomic-fetch-and-add',
      'atomic-write',
      'unknown',
    ]);
    expect([verbs.portSpeed(2, 32), verbs.portSpeed(1, 1), verbs.portSpeed(3, 32)]).to.deep.equal([1000, 25, 0]);
    expect([0, 1, 0x4000, 0xfffff].map(verbs.flowLabelToUdpSport)).to.deep.equal([0xc000, 0xc001, 0xc001, 0xffc0]);
  });

  it('names flags', () => {
    expect(verbs.flagNames(verbs.AccessFlags, 0)).to.equal('0');
    expect(verbs.flagNames(verbs.AccessFlags, 3)).to.equal('LOCAL_WRITE | REMOTE_WRITE');
    expect(verbs.flagNames(verbs.AccessFlags, 0x80000001)).to.equal('LOCAL_WRITE | 0x80000000');
  });
});
