/**
 * The constants of Linux' `include/rdma/ib_verbs.h` of Gen2's time, under C's names: one table an enum, C's name beside the SDK's. What the
 * SDK has no name for is a number. GID_CHANGE came later; devices raise it.
 */
import {
  AccessFlags,
  AtomicCap,
  DeviceCapFlags,
  EventType,
  MigState,
  Mtu,
  NodeType,
  PortCapFlags,
  PortState,
  QpAttrMask,
  QpState,
  QpType,
  Rate,
  ReregMrFlags,
  SendFlags,
  SrqAttrMask,
  TransportType,
  WcFlags,
  WcOpcode,
  WcStatus,
  WrOpcode,
} from '@openverbs/verbs';

/** `enum rdma_node_type`. */
export const {
  /** `NodeType.CA`. */ CA: RDMA_NODE_IB_CA,
  /** `NodeType.SWITCH`. */ SWITCH: RDMA_NODE_IB_SWITCH,
  /** `NodeType.ROUTER`. */ ROUTER: RDMA_NODE_IB_ROUTER,
  /** `NodeType.RNIC`. */ RNIC: RDMA_NODE_RNIC,
} = NodeType;

/** `enum rdma_transport_type`. */
export const {
  /** `TransportType.IB`. */ IB: RDMA_TRANSPORT_IB,
  /** `TransportType.IWARP`. */ IWARP: RDMA_TRANSPORT_IWARP,
} = TransportType;

/** `enum ib_device_cap_flags`. */
export const {
  /** `DeviceCapFlags.RESIZE_MAX_WR`. */ RESIZE_MAX_WR: IB_DEVICE_RESIZE_MAX_WR,
  /** `DeviceCapFlags.BAD_PKEY_CNTR`. */ BAD_PKEY_CNTR: IB_DEVICE_BAD_PKEY_CNTR,
  /** `DeviceCapFlags.BAD_QKEY_CNTR`. */ BAD_QKEY_CNTR: IB_DEVICE_BAD_QKEY_CNTR,
  /** `DeviceCapFlags.RAW_MULTI`. */ RAW_MULTI: IB_DEVICE_RAW_MULTI,
  /** `DeviceCapFlags.AUTO_PATH_MIG`. */ AUTO_PATH_MIG: IB_DEVICE_AUTO_PATH_MIG,
  /** `DeviceCapFlags.CHANGE_PHY_PORT`. */ CHANGE_PHY_PORT: IB_DEVICE_CHANGE_PHY_PORT,
  /** `DeviceCapFlags.UD_AV_PORT_ENFORCE`. */ UD_AV_PORT_ENFORCE: IB_DEVICE_UD_AV_PORT_ENFORCE,
  /** `DeviceCapFlags.CURR_QP_STATE_MOD`. */ CURR_QP_STATE_MOD: IB_DEVICE_CURR_QP_STATE_MOD,
  /** `DeviceCapFlags.SHUTDOWN_PORT`. */ SHUTDOWN_PORT: IB_DEVICE_SHUTDOWN_PORT,
  /** `DeviceCapFlags.INIT_TYPE`. */ INIT_TYPE: IB_DEVICE_INIT_TYPE,
  /** `DeviceCapFlags.PORT_ACTIVE_EVENT`. */ PORT_ACTIVE_EVENT: IB_DEVICE_PORT_ACTIVE_EVENT,
  /** `DeviceCapFlags.SYS_IMAGE_GUID`. */ SYS_IMAGE_GUID: IB_DEVICE_SYS_IMAGE_GUID,
  /** `DeviceCapFlags.RC_RNR_NAK_GEN`. */ RC_RNR_NAK_GEN: IB_DEVICE_RC_RNR_NAK_GEN,
  /** `DeviceCapFlags.SRQ_RESIZE`. */ SRQ_RESIZE: IB_DEVICE_SRQ_RESIZE,
  /** `DeviceCapFlags.N_NOTIFY_CQ`. */ N_NOTIFY_CQ: IB_DEVICE_N_NOTIFY_CQ,
  /** `DeviceCapFlags.MEM_WINDOW`. */ MEM_WINDOW: IB_DEVICE_MEM_WINDOW,
} = DeviceCapFlags;

/** `enum ib_atomic_cap`. */
export const {
  /** `AtomicCap.NONE`. */ NONE: IB_ATOMIC_NONE,
  /** `AtomicCap.HCA`. */ HCA: IB_ATOMIC_HCA,
  /** `AtomicCap.GLOB`. */ GLOB: IB_ATOMIC_GLOB,
} = AtomicCap;

/** `enum ib_mtu`. */
export const {
  /** `Mtu.MTU_256`. */ MTU_256: IB_MTU_256,
  /** `Mtu.MTU_512`. */ MTU_512: IB_MTU_512,
  /** `Mtu.MTU_1024`. */ MTU_1024: IB_MTU_1024,
  /** `Mtu.MTU_2048`. */ MTU_2048: IB_MTU_2048,
  /** `Mtu.MTU_4096`. */ MTU_4096: IB_MTU_4096,
} = Mtu;

/** `enum ib_port_state`. */
export const {
  /** `PortState.NOP`. */ NOP: IB_PORT_NOP,
  /** `PortState.DOWN`. */ DOWN: IB_PORT_DOWN,
  /** `PortState.INIT`. */ INIT: IB_PORT_INIT,
  /** `PortState.ARMED`. */ ARMED: IB_PORT_ARMED,
  /** `PortState.ACTIVE`. */ ACTIVE: IB_PORT_ACTIVE,
  /** `PortState.ACTIVE_DEFER`. */ ACTIVE_DEFER: IB_PORT_ACTIVE_DEFER,
} = PortState;

/** `enum ib_port_cap_flags`. */
export const {
  /** `PortCapFlags.SM`. */ SM: IB_PORT_SM,
  /** `PortCapFlags.NOTICE_SUP`. */ NOTICE_SUP: IB_PORT_NOTICE_SUP,
  /** `PortCapFlags.TRAP_SUP`. */ TRAP_SUP: IB_PORT_TRAP_SUP,
  /** `PortCapFlags.OPT_IPD_SUP`. */ OPT_IPD_SUP: IB_PORT_OPT_IPD_SUP,
  /** `PortCapFlags.AUTO_MIGR_SUP`. */ AUTO_MIGR_SUP: IB_PORT_AUTO_MIGR_SUP,
  /** `PortCapFlags.SL_MAP_SUP`. */ SL_MAP_SUP: IB_PORT_SL_MAP_SUP,
  /** `PortCapFlags.MKEY_NVRAM`. */ MKEY_NVRAM: IB_PORT_MKEY_NVRAM,
  /** `PortCapFlags.PKEY_NVRAM`. */ PKEY_NVRAM: IB_PORT_PKEY_NVRAM,
  /** `PortCapFlags.LED_INFO_SUP`. */ LED_INFO_SUP: IB_PORT_LED_INFO_SUP,
  /** `PortCapFlags.SYS_IMAGE_GUID_SUP`. */ SYS_IMAGE_GUID_SUP: IB_PORT_SYS_IMAGE_GUID_SUP,
  /** `PortCapFlags.PKEY_SW_EXT_PORT_TRAP_SUP`. */ PKEY_SW_EXT_PORT_TRAP_SUP: IB_PORT_PKEY_SW_EXT_PORT_TRAP_SUP,
  /** `PortCapFlags.CM_SUP`. */ CM_SUP: IB_PORT_CM_SUP,
  /** `PortCapFlags.SNMP_TUNNEL_SUP`. */ SNMP_TUNNEL_SUP: IB_PORT_SNMP_TUNNEL_SUP,
  /** `PortCapFlags.REINIT_SUP`. */ REINIT_SUP: IB_PORT_REINIT_SUP,
  /** `PortCapFlags.DEVICE_MGMT_SUP`. */ DEVICE_MGMT_SUP: IB_PORT_DEVICE_MGMT_SUP,
  /** `PortCapFlags.VENDOR_CLASS_SUP`. */ VENDOR_CLASS_SUP: IB_PORT_VENDOR_CLASS_SUP,
  /** `PortCapFlags.DR_NOTICE_SUP`. */ DR_NOTICE_SUP: IB_PORT_DR_NOTICE_SUP,
  /** `PortCapFlags.CAP_MASK_NOTICE_SUP`. */ CAP_MASK_NOTICE_SUP: IB_PORT_CAP_MASK_NOTICE_SUP,
  /** `PortCapFlags.BOOT_MGMT_SUP`. */ BOOT_MGMT_SUP: IB_PORT_BOOT_MGMT_SUP,
  /** `PortCapFlags.LINK_LATENCY_SUP`. */ LINK_LATENCY_SUP: IB_PORT_LINK_LATENCY_SUP,
  /** `PortCapFlags.CLIENT_REG_SUP`. */ CLIENT_REG_SUP: IB_PORT_CLIENT_REG_SUP,
} = PortCapFlags;

// enum ib_port_width.

/** One lane. */
export const IB_WIDTH_1X = 1;

/** Four lanes. */
export const IB_WIDTH_4X = 2;

/** Eight lanes. */
export const IB_WIDTH_8X = 4;

/** Twelve lanes. */
export const IB_WIDTH_12X = 8;

/** `enum ib_event_type`. */
export const {
  /** `EventType.CQ_ERR`. */ CQ_ERR: IB_EVENT_CQ_ERR,
  /** `EventType.QP_FATAL`. */ QP_FATAL: IB_EVENT_QP_FATAL,
  /** `EventType.QP_REQ_ERR`. */ QP_REQ_ERR: IB_EVENT_QP_REQ_ERR,
  /** `EventType.QP_ACCESS_ERR`. */ QP_ACCESS_ERR: IB_EVENT_QP_ACCESS_ERR,
  /** `EventType.COMM_EST`. */ COMM_EST: IB_EVENT_COMM_EST,
  /** `EventType.SQ_DRAINED`. */ SQ_DRAINED: IB_EVENT_SQ_DRAINED,
  /** `EventType.PATH_MIG`. */ PATH_MIG: IB_EVENT_PATH_MIG,
  /** `EventType.PATH_MIG_ERR`. */ PATH_MIG_ERR: IB_EVENT_PATH_MIG_ERR,
  /** `EventType.DEVICE_FATAL`. */ DEVICE_FATAL: IB_EVENT_DEVICE_FATAL,
  /** `EventType.PORT_ACTIVE`. */ PORT_ACTIVE: IB_EVENT_PORT_ACTIVE,
  /** `EventType.PORT_ERR`. */ PORT_ERR: IB_EVENT_PORT_ERR,
  /** `EventType.LID_CHANGE`. */ LID_CHANGE: IB_EVENT_LID_CHANGE,
  /** `EventType.PKEY_CHANGE`. */ PKEY_CHANGE: IB_EVENT_PKEY_CHANGE,
  /** `EventType.SM_CHANGE`. */ SM_CHANGE: IB_EVENT_SM_CHANGE,
  /** `EventType.SRQ_ERR`. */ SRQ_ERR: IB_EVENT_SRQ_ERR,
  /** `EventType.SRQ_LIMIT_REACHED`. */ SRQ_LIMIT_REACHED: IB_EVENT_SRQ_LIMIT_REACHED,
  /** `EventType.QP_LAST_WQE_REACHED`. */ QP_LAST_WQE_REACHED: IB_EVENT_QP_LAST_WQE_REACHED,
  /** `EventType.CLIENT_REREGISTER`. */ CLIENT_REREGISTER: IB_EVENT_CLIENT_REREGISTER,
  /** `EventType.GID_CHANGE`. */ GID_CHANGE: IB_EVENT_GID_CHANGE,
} = EventType;

/** `enum ib_rate`. */
export const {
  /** `Rate.MAX`. */ MAX: IB_RATE_PORT_CURRENT,
  /** `Rate.RATE_2_5_GBPS`. */ RATE_2_5_GBPS: IB_RATE_2_5_GBPS,
  /** `Rate.RATE_5_GBPS`. */ RATE_5_GBPS: IB_RATE_5_GBPS,
  /** `Rate.RATE_10_GBPS`. */ RATE_10_GBPS: IB_RATE_10_GBPS,
  /** `Rate.RATE_20_GBPS`. */ RATE_20_GBPS: IB_RATE_20_GBPS,
  /** `Rate.RATE_30_GBPS`. */ RATE_30_GBPS: IB_RATE_30_GBPS,
  /** `Rate.RATE_40_GBPS`. */ RATE_40_GBPS: IB_RATE_40_GBPS,
  /** `Rate.RATE_60_GBPS`. */ RATE_60_GBPS: IB_RATE_60_GBPS,
  /** `Rate.RATE_80_GBPS`. */ RATE_80_GBPS: IB_RATE_80_GBPS,
  /** `Rate.RATE_120_GBPS`. */ RATE_120_GBPS: IB_RATE_120_GBPS,
} = Rate;

/** `enum ib_wc_status`. */
export const {
  /** `WcStatus.SUCCESS`. */ SUCCESS: IB_WC_SUCCESS,
  /** `WcStatus.LOC_LEN_ERR`. */ LOC_LEN_ERR: IB_WC_LOC_LEN_ERR,
  /** `WcStatus.LOC_QP_OP_ERR`. */ LOC_QP_OP_ERR: IB_WC_LOC_QP_OP_ERR,
  /** `WcStatus.LOC_EEC_OP_ERR`. */ LOC_EEC_OP_ERR: IB_WC_LOC_EEC_OP_ERR,
  /** `WcStatus.LOC_PROT_ERR`. */ LOC_PROT_ERR: IB_WC_LOC_PROT_ERR,
  /** `WcStatus.WR_FLUSH_ERR`. */ WR_FLUSH_ERR: IB_WC_WR_FLUSH_ERR,
  /** `WcStatus.MW_BIND_ERR`. */ MW_BIND_ERR: IB_WC_MW_BIND_ERR,
  /** `WcStatus.BAD_RESP_ERR`. */ BAD_RESP_ERR: IB_WC_BAD_RESP_ERR,
  /** `WcStatus.LOC_ACCESS_ERR`. */ LOC_ACCESS_ERR: IB_WC_LOC_ACCESS_ERR,
  /** `WcStatus.REM_INV_REQ_ERR`. */ REM_INV_REQ_ERR: IB_WC_REM_INV_REQ_ERR,
  /** `WcStatus.REM_ACCESS_ERR`. */ REM_ACCESS_ERR: IB_WC_REM_ACCESS_ERR,
  /** `WcStatus.REM_OP_ERR`. */ REM_OP_ERR: IB_WC_REM_OP_ERR,
  /** `WcStatus.RETRY_EXC_ERR`. */ RETRY_EXC_ERR: IB_WC_RETRY_EXC_ERR,
  /** `WcStatus.RNR_RETRY_EXC_ERR`. */ RNR_RETRY_EXC_ERR: IB_WC_RNR_RETRY_EXC_ERR,
  /** `WcStatus.LOC_RDD_VIOL_ERR`. */ LOC_RDD_VIOL_ERR: IB_WC_LOC_RDD_VIOL_ERR,
  /** `WcStatus.REM_INV_RD_REQ_ERR`. */ REM_INV_RD_REQ_ERR: IB_WC_REM_INV_RD_REQ_ERR,
  /** `WcStatus.REM_ABORT_ERR`. */ REM_ABORT_ERR: IB_WC_REM_ABORT_ERR,
  /** `WcStatus.INV_EECN_ERR`. */ INV_EECN_ERR: IB_WC_INV_EECN_ERR,
  /** `WcStatus.INV_EEC_STATE_ERR`. */ INV_EEC_STATE_ERR: IB_WC_INV_EEC_STATE_ERR,
  /** `WcStatus.FATAL_ERR`. */ FATAL_ERR: IB_WC_FATAL_ERR,
  /** `WcStatus.RESP_TIMEOUT_ERR`. */ RESP_TIMEOUT_ERR: IB_WC_RESP_TIMEOUT_ERR,
  /** `WcStatus.GENERAL_ERR`. */ GENERAL_ERR: IB_WC_GENERAL_ERR,
} = WcStatus;

/** `enum ib_wc_opcode`. */
export const {
  /** `WcOpcode.SEND`. */ SEND: IB_WC_SEND,
  /** `WcOpcode.RDMA_WRITE`. */ RDMA_WRITE: IB_WC_RDMA_WRITE,
  /** `WcOpcode.RDMA_READ`. */ RDMA_READ: IB_WC_RDMA_READ,
  /** `WcOpcode.COMP_SWAP`. */ COMP_SWAP: IB_WC_COMP_SWAP,
  /** `WcOpcode.FETCH_ADD`. */ FETCH_ADD: IB_WC_FETCH_ADD,
  /** `WcOpcode.BIND_MW`. */ BIND_MW: IB_WC_BIND_MW,
  /** `WcOpcode.RECV`. */ RECV: IB_WC_RECV,
  /** `WcOpcode.RECV_RDMA_WITH_IMM`. */ RECV_RDMA_WITH_IMM: IB_WC_RECV_RDMA_WITH_IMM,
} = WcOpcode;

// enum ib_wc_flags.

/** `WcFlags.GRH`. */
export const IB_WC_GRH = WcFlags.GRH;
/** `WcFlags.WITH_IMM`. */
export const IB_WC_WITH_IMM = WcFlags.WITH_IMM;

// enum ib_cq_notify_flags.

/** An event at the next solicited or failed completion. */
export const IB_CQ_SOLICITED = 1;

/** An event at the next completion. */
export const IB_CQ_NEXT_COMP = 2;

/** Which of the two it is. */
export const IB_CQ_SOLICITED_MASK = 3;

/** Tell whether completions are there already. */
export const IB_CQ_REPORT_MISSED_EVENTS = 4;

// enum ib_srq_attr_mask.

/** `SrqAttrMask.MAX_WR`. */
export const IB_SRQ_MAX_WR = SrqAttrMask.MAX_WR;
/** `SrqAttrMask.LIMIT`. */
export const IB_SRQ_LIMIT = SrqAttrMask.LIMIT;

// enum ib_sig_type.

/** Every send makes a completion. */
export const IB_SIGNAL_ALL_WR = 0;

/** Sends with IB_SEND_SIGNALED do. */
export const IB_SIGNAL_REQ_WR = 1;

// enum ib_qp_type, those that no device has here.

/** QP0. */
export const IB_QPT_SMI = 0;

/** QP1. */
export const IB_QPT_GSI = 1;

/** Raw IPv6 datagrams. */
export const IB_QPT_RAW_IPV6 = 5;

/** Raw EtherType datagrams. */
export const IB_QPT_RAW_ETY = 6;

/** `enum ib_qp_type`. */
export const {
  /** `QpType.RC`. */ RC: IB_QPT_RC,
  /** `QpType.UC`. */ UC: IB_QPT_UC,
  /** `QpType.UD`. */ UD: IB_QPT_UD,
} = QpType;

/** `enum ib_qp_attr_mask`. */
export const {
  /** `QpAttrMask.STATE`. */ STATE: IB_QP_STATE,
  /** `QpAttrMask.CUR_STATE`. */ CUR_STATE: IB_QP_CUR_STATE,
  /** `QpAttrMask.EN_SQD_ASYNC_NOTIFY`. */ EN_SQD_ASYNC_NOTIFY: IB_QP_EN_SQD_ASYNC_NOTIFY,
  /** `QpAttrMask.ACCESS_FLAGS`. */ ACCESS_FLAGS: IB_QP_ACCESS_FLAGS,
  /** `QpAttrMask.PKEY_INDEX`. */ PKEY_INDEX: IB_QP_PKEY_INDEX,
  /** `QpAttrMask.PORT`. */ PORT: IB_QP_PORT,
  /** `QpAttrMask.QKEY`. */ QKEY: IB_QP_QKEY,
  /** `QpAttrMask.AV`. */ AV: IB_QP_AV,
  /** `QpAttrMask.PATH_MTU`. */ PATH_MTU: IB_QP_PATH_MTU,
  /** `QpAttrMask.TIMEOUT`. */ TIMEOUT: IB_QP_TIMEOUT,
  /** `QpAttrMask.RETRY_CNT`. */ RETRY_CNT: IB_QP_RETRY_CNT,
  /** `QpAttrMask.RNR_RETRY`. */ RNR_RETRY: IB_QP_RNR_RETRY,
  /** `QpAttrMask.RQ_PSN`. */ RQ_PSN: IB_QP_RQ_PSN,
  /** `QpAttrMask.MAX_QP_RD_ATOMIC`. */ MAX_QP_RD_ATOMIC: IB_QP_MAX_QP_RD_ATOMIC,
  /** `QpAttrMask.ALT_PATH`. */ ALT_PATH: IB_QP_ALT_PATH,
  /** `QpAttrMask.MIN_RNR_TIMER`. */ MIN_RNR_TIMER: IB_QP_MIN_RNR_TIMER,
  /** `QpAttrMask.SQ_PSN`. */ SQ_PSN: IB_QP_SQ_PSN,
  /** `QpAttrMask.MAX_DEST_RD_ATOMIC`. */ MAX_DEST_RD_ATOMIC: IB_QP_MAX_DEST_RD_ATOMIC,
  /** `QpAttrMask.PATH_MIG_STATE`. */ PATH_MIG_STATE: IB_QP_PATH_MIG_STATE,
  /** `QpAttrMask.CAP`. */ CAP: IB_QP_CAP,
  /** `QpAttrMask.DEST_QPN`. */ DEST_QPN: IB_QP_DEST_QPN,
} = QpAttrMask;

/** `enum ib_qp_state`. */
export const {
  /** `QpState.RESET`. */ RESET: IB_QPS_RESET,
  /** `QpState.INIT`. */ INIT: IB_QPS_INIT,
  /** `QpState.RTR`. */ RTR: IB_QPS_RTR,
  /** `QpState.RTS`. */ RTS: IB_QPS_RTS,
  /** `QpState.SQD`. */ SQD: IB_QPS_SQD,
  /** `QpState.SQE`. */ SQE: IB_QPS_SQE,
  /** `QpState.ERR`. */ ERR: IB_QPS_ERR,
} = QpState;

/** `enum ib_mig_state`. */
export const {
  /** `MigState.MIGRATED`. */ MIGRATED: IB_MIG_MIGRATED,
  /** `MigState.REARM`. */ REARM: IB_MIG_REARM,
  /** `MigState.ARMED`. */ ARMED: IB_MIG_ARMED,
} = MigState;

/** `enum ib_wr_opcode`. */
export const {
  /** `WrOpcode.RDMA_WRITE`. */ RDMA_WRITE: IB_WR_RDMA_WRITE,
  /** `WrOpcode.RDMA_WRITE_WITH_IMM`. */ RDMA_WRITE_WITH_IMM: IB_WR_RDMA_WRITE_WITH_IMM,
  /** `WrOpcode.SEND`. */ SEND: IB_WR_SEND,
  /** `WrOpcode.SEND_WITH_IMM`. */ SEND_WITH_IMM: IB_WR_SEND_WITH_IMM,
  /** `WrOpcode.RDMA_READ`. */ RDMA_READ: IB_WR_RDMA_READ,
  /** `WrOpcode.ATOMIC_CMP_AND_SWP`. */ ATOMIC_CMP_AND_SWP: IB_WR_ATOMIC_CMP_AND_SWP,
  /** `WrOpcode.ATOMIC_FETCH_AND_ADD`. */ ATOMIC_FETCH_AND_ADD: IB_WR_ATOMIC_FETCH_AND_ADD,
} = WrOpcode;

/** `enum ib_send_flags`. */
export const {
  /** `SendFlags.FENCE`. */ FENCE: IB_SEND_FENCE,
  /** `SendFlags.SIGNALED`. */ SIGNALED: IB_SEND_SIGNALED,
  /** `SendFlags.SOLICITED`. */ SOLICITED: IB_SEND_SOLICITED,
  /** `SendFlags.INLINE`. */ INLINE: IB_SEND_INLINE,
} = SendFlags;

/** `enum ib_access_flags`. */
export const {
  /** `AccessFlags.LOCAL_WRITE`. */ LOCAL_WRITE: IB_ACCESS_LOCAL_WRITE,
  /** `AccessFlags.REMOTE_WRITE`. */ REMOTE_WRITE: IB_ACCESS_REMOTE_WRITE,
  /** `AccessFlags.REMOTE_READ`. */ REMOTE_READ: IB_ACCESS_REMOTE_READ,
  /** `AccessFlags.REMOTE_ATOMIC`. */ REMOTE_ATOMIC: IB_ACCESS_REMOTE_ATOMIC,
  /** `AccessFlags.MW_BIND`. */ MW_BIND: IB_ACCESS_MW_BIND,
} = AccessFlags;

/** `enum ib_mr_rereg_flags`. */
export const {
  /** `ReregMrFlags.CHANGE_TRANSLATION`. */ CHANGE_TRANSLATION: IB_MR_REREG_TRANS,
  /** `ReregMrFlags.CHANGE_PD`. */ CHANGE_PD: IB_MR_REREG_PD,
  /** `ReregMrFlags.CHANGE_ACCESS`. */ CHANGE_ACCESS: IB_MR_REREG_ACCESS,
} = ReregMrFlags;

// QP numbers and LIDs.

/** The bits of a QP number. */
export const IB_QPN_MASK = 0xffffff;

/** The QP number that multicast goes to. */
export const IB_MULTICAST_QPN = 0xffffff;

/** The permissive LID. */
export const IB_LID_PERMISSIVE = 0xffff;

// enum dma_data_direction, of linux/dma-mapping.h.

/** Both ways. */
export const DMA_BIDIRECTIONAL = 0;

/** The device reads. */
export const DMA_TO_DEVICE = 1;

/** The device writes. */
export const DMA_FROM_DEVICE = 2;
