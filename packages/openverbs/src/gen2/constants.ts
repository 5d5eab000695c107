/**
 * The constants of `<infiniband/verbs.h>`: one table an enum, C's name beside the SDK's, so the values are the same objects'
 * values and what they mean is written once, there.
 */
import {
  AccessFlags,
  AtomicCap,
  CqAttrMask,
  CreateCqFlags,
  DeviceCapFlags,
  EventType,
  ForkStatus,
  GidType,
  LinkLayer,
  MigState,
  Mtu,
  MwType,
  NodeType,
  PlacementType,
  PortCapFlags,
  PortCapFlags2,
  PortState,
  QpAttrMask,
  QpDataInOrderCaps,
  QpDataInOrderFlags,
  QpState,
  QpType,
  Rate,
  MrInitAttrMask,
  ReregMrFlags,
  SelectivityLevel,
  SendFlags,
  SrqAttrMask,
  SrqType,
  TransportType,
  WC_STANDARD_FLAGS,
  WcExFlags,
  WcFlags,
  WcOpcode,
  WcStatus,
  WrOpcode,
} from '@openverbs/verbs';

/** `enum ibv_node_type`. */
export const {
  /** `NodeType.UNKNOWN`. */ UNKNOWN: IBV_NODE_UNKNOWN,
  /** `NodeType.CA`. */ CA: IBV_NODE_CA,
  /** `NodeType.SWITCH`. */ SWITCH: IBV_NODE_SWITCH,
  /** `NodeType.ROUTER`. */ ROUTER: IBV_NODE_ROUTER,
  /** `NodeType.RNIC`. */ RNIC: IBV_NODE_RNIC,
  /** `NodeType.USNIC`. */ USNIC: IBV_NODE_USNIC,
  /** `NodeType.USNIC_UDP`. */ USNIC_UDP: IBV_NODE_USNIC_UDP,
  /** `NodeType.UNSPECIFIED`. */ UNSPECIFIED: IBV_NODE_UNSPECIFIED,
} = NodeType;

/** `enum ibv_transport_type`. */
export const {
  /** `TransportType.UNKNOWN`. */ UNKNOWN: IBV_TRANSPORT_UNKNOWN,
  /** `TransportType.IB`. */ IB: IBV_TRANSPORT_IB,
  /** `TransportType.IWARP`. */ IWARP: IBV_TRANSPORT_IWARP,
  /** `TransportType.USNIC`. */ USNIC: IBV_TRANSPORT_USNIC,
  /** `TransportType.USNIC_UDP`. */ USNIC_UDP: IBV_TRANSPORT_USNIC_UDP,
  /** `TransportType.UNSPECIFIED`. */ UNSPECIFIED: IBV_TRANSPORT_UNSPECIFIED,
} = TransportType;

/** `enum ibv_device_cap_flags`. */
export const {
  /** `DeviceCapFlags.RESIZE_MAX_WR`. */ RESIZE_MAX_WR: IBV_DEVICE_RESIZE_MAX_WR,
  /** `DeviceCapFlags.BAD_PKEY_CNTR`. */ BAD_PKEY_CNTR: IBV_DEVICE_BAD_PKEY_CNTR,
  /** `DeviceCapFlags.BAD_QKEY_CNTR`. */ BAD_QKEY_CNTR: IBV_DEVICE_BAD_QKEY_CNTR,
  /** `DeviceCapFlags.RAW_MULTI`. */ RAW_MULTI: IBV_DEVICE_RAW_MULTI,
  /** `DeviceCapFlags.AUTO_PATH_MIG`. */ AUTO_PATH_MIG: IBV_DEVICE_AUTO_PATH_MIG,
  /** `DeviceCapFlags.CHANGE_PHY_PORT`. */ CHANGE_PHY_PORT: IBV_DEVICE_CHANGE_PHY_PORT,
  /** `DeviceCapFlags.UD_AV_PORT_ENFORCE`. */ UD_AV_PORT_ENFORCE: IBV_DEVICE_UD_AV_PORT_ENFORCE,
  /** `DeviceCapFlags.CURR_QP_STATE_MOD`. */ CURR_QP_STATE_MOD: IBV_DEVICE_CURR_QP_STATE_MOD,
  /** `DeviceCapFlags.SHUTDOWN_PORT`. */ SHUTDOWN_PORT: IBV_DEVICE_SHUTDOWN_PORT,
  /** `DeviceCapFlags.INIT_TYPE`. */ INIT_TYPE: IBV_DEVICE_INIT_TYPE,
  /** `DeviceCapFlags.PORT_ACTIVE_EVENT`. */ PORT_ACTIVE_EVENT: IBV_DEVICE_PORT_ACTIVE_EVENT,
  /** `DeviceCapFlags.SYS_IMAGE_GUID`. */ SYS_IMAGE_GUID: IBV_DEVICE_SYS_IMAGE_GUID,
  /** `DeviceCapFlags.RC_RNR_NAK_GEN`. */ RC_RNR_NAK_GEN: IBV_DEVICE_RC_RNR_NAK_GEN,
  /** `DeviceCapFlags.SRQ_RESIZE`. */ SRQ_RESIZE: IBV_DEVICE_SRQ_RESIZE,
  /** `DeviceCapFlags.N_NOTIFY_CQ`. */ N_NOTIFY_CQ: IBV_DEVICE_N_NOTIFY_CQ,
  /** `DeviceCapFlags.MEM_WINDOW`. */ MEM_WINDOW: IBV_DEVICE_MEM_WINDOW,
  /** `DeviceCapFlags.UD_IP_CSUM`. */ UD_IP_CSUM: IBV_DEVICE_UD_IP_CSUM,
  /** `DeviceCapFlags.XRC`. */ XRC: IBV_DEVICE_XRC,
  /** `DeviceCapFlags.MEM_MGT_EXTENSIONS`. */ MEM_MGT_EXTENSIONS: IBV_DEVICE_MEM_MGT_EXTENSIONS,
  /** `DeviceCapFlags.MEM_WINDOW_TYPE_2A`. */ MEM_WINDOW_TYPE_2A: IBV_DEVICE_MEM_WINDOW_TYPE_2A,
  /** `DeviceCapFlags.MEM_WINDOW_TYPE_2B`. */ MEM_WINDOW_TYPE_2B: IBV_DEVICE_MEM_WINDOW_TYPE_2B,
  /** `DeviceCapFlags.RC_IP_CSUM`. */ RC_IP_CSUM: IBV_DEVICE_RC_IP_CSUM,
  /** `DeviceCapFlags.RAW_IP_CSUM`. */ RAW_IP_CSUM: IBV_DEVICE_RAW_IP_CSUM,
  /** `DeviceCapFlags.MANAGED_FLOW_STEERING`. */ MANAGED_FLOW_STEERING: IBV_DEVICE_MANAGED_FLOW_STEERING,
} = DeviceCapFlags;

/** `enum ibv_atomic_cap`. */
export const {
  /** `AtomicCap.NONE`. */ NONE: IBV_ATOMIC_NONE,
  /** `AtomicCap.HCA`. */ HCA: IBV_ATOMIC_HCA,
  /** `AtomicCap.GLOB`. */ GLOB: IBV_ATOMIC_GLOB,
} = AtomicCap;

/** `enum ibv_port_state`. */
export const {
  /** `PortState.NOP`. */ NOP: IBV_PORT_NOP,
  /** `PortState.DOWN`. */ DOWN: IBV_PORT_DOWN,
  /** `PortState.INIT`. */ INIT: IBV_PORT_INIT,
  /** `PortState.ARMED`. */ ARMED: IBV_PORT_ARMED,
  /** `PortState.ACTIVE`. */ ACTIVE: IBV_PORT_ACTIVE,
  /** `PortState.ACTIVE_DEFER`. */ ACTIVE_DEFER: IBV_PORT_ACTIVE_DEFER,
} = PortState;

/** The link layers of `ibv_port_attr`. */
export const {
  /** `LinkLayer.UNSPECIFIED`. */ UNSPECIFIED: IBV_LINK_LAYER_UNSPECIFIED,
  /** `LinkLayer.INFINIBAND`. */ INFINIBAND: IBV_LINK_LAYER_INFINIBAND,
  /** `LinkLayer.ETHERNET`. */ ETHERNET: IBV_LINK_LAYER_ETHERNET,
} = LinkLayer;

/** `enum ibv_port_cap_flags`. */
export const {
  /** `PortCapFlags.SM`. */ SM: IBV_PORT_SM,
  /** `PortCapFlags.NOTICE_SUP`. */ NOTICE_SUP: IBV_PORT_NOTICE_SUP,
  /** `PortCapFlags.TRAP_SUP`. */ TRAP_SUP: IBV_PORT_TRAP_SUP,
  /** `PortCapFlags.OPT_IPD_SUP`. */ OPT_IPD_SUP: IBV_PORT_OPT_IPD_SUP,
  /** `PortCapFlags.AUTO_MIGR_SUP`. */ AUTO_MIGR_SUP: IBV_PORT_AUTO_MIGR_SUP,
  /** `PortCapFlags.SL_MAP_SUP`. */ SL_MAP_SUP: IBV_PORT_SL_MAP_SUP,
  /** `PortCapFlags.MKEY_NVRAM`. */ MKEY_NVRAM: IBV_PORT_MKEY_NVRAM,
  /** `PortCapFlags.PKEY_NVRAM`. */ PKEY_NVRAM: IBV_PORT_PKEY_NVRAM,
  /** `PortCapFlags.LED_INFO_SUP`. */ LED_INFO_SUP: IBV_PORT_LED_INFO_SUP,
  /** `PortCapFlags.SYS_IMAGE_GUID_SUP`. */ SYS_IMAGE_GUID_SUP: IBV_PORT_SYS_IMAGE_GUID_SUP,
  /** `PortCapFlags.PKEY_SW_EXT_PORT_TRAP_SUP`. */ PKEY_SW_EXT_PORT_TRAP_SUP: IBV_PORT_PKEY_SW_EXT_PORT_TRAP_SUP,
  /** `PortCapFlags.EXTENDED_SPEEDS_SUP`. */ EXTENDED_SPEEDS_SUP: IBV_PORT_EXTENDED_SPEEDS_SUP,
  /** `PortCapFlags.CAP_MASK2_SUP`. */ CAP_MASK2_SUP: IBV_PORT_CAP_MASK2_SUP,
  /** `PortCapFlags.CM_SUP`. */ CM_SUP: IBV_PORT_CM_SUP,
  /** `PortCapFlags.SNMP_TUNNEL_SUP`. */ SNMP_TUNNEL_SUP: IBV_PORT_SNMP_TUNNEL_SUP,
  /** `PortCapFlags.REINIT_SUP`. */ REINIT_SUP: IBV_PORT_REINIT_SUP,
  /** `PortCapFlags.DEVICE_MGMT_SUP`. */ DEVICE_MGMT_SUP: IBV_PORT_DEVICE_MGMT_SUP,
  /** `PortCapFlags.VENDOR_CLASS_SUP`. */ VENDOR_CLASS_SUP: IBV_PORT_VENDOR_CLASS_SUP,
  /** `PortCapFlags.DR_NOTICE_SUP`. */ DR_NOTICE_SUP: IBV_PORT_DR_NOTICE_SUP,
  /** `PortCapFlags.CAP_MASK_NOTICE_SUP`. */ CAP_MASK_NOTICE_SUP: IBV_PORT_CAP_MASK_NOTICE_SUP,
  /** `PortCapFlags.BOOT_MGMT_SUP`. */ BOOT_MGMT_SUP: IBV_PORT_BOOT_MGMT_SUP,
  /** `PortCapFlags.LINK_LATENCY_SUP`. */ LINK_LATENCY_SUP: IBV_PORT_LINK_LATENCY_SUP,
  /** `PortCapFlags.CLIENT_REG_SUP`. */ CLIENT_REG_SUP: IBV_PORT_CLIENT_REG_SUP,
  /** `PortCapFlags.IP_BASED_GIDS`. */ IP_BASED_GIDS: IBV_PORT_IP_BASED_GIDS,
} = PortCapFlags;

/** `enum ibv_port_cap_flags2`. */
export const {
  /** `PortCapFlags2.SET_NODE_DESC_SUP`. */ SET_NODE_DESC_SUP: IBV_PORT_SET_NODE_DESC_SUP,
  /** `PortCapFlags2.INFO_EXT_SUP`. */ INFO_EXT_SUP: IBV_PORT_INFO_EXT_SUP,
  /** `PortCapFlags2.VIRT_SUP`. */ VIRT_SUP: IBV_PORT_VIRT_SUP,
  /** `PortCapFlags2.SWITCH_PORT_STATE_TABLE_SUP`. */ SWITCH_PORT_STATE_TABLE_SUP: IBV_PORT_SWITCH_PORT_STATE_TABLE_SUP,
  /** `PortCapFlags2.LINK_WIDTH_2X_SUP`. */ LINK_WIDTH_2X_SUP: IBV_PORT_LINK_WIDTH_2X_SUP,
  /** `PortCapFlags2.LINK_SPEED_HDR_SUP`. */ LINK_SPEED_HDR_SUP: IBV_PORT_LINK_SPEED_HDR_SUP,
  /** `PortCapFlags2.LINK_SPEED_NDR_SUP`. */ LINK_SPEED_NDR_SUP: IBV_PORT_LINK_SPEED_NDR_SUP,
  /** `PortCapFlags2.LINK_SPEED_XDR_SUP`. */ LINK_SPEED_XDR_SUP: IBV_PORT_LINK_SPEED_XDR_SUP,
} = PortCapFlags2;

/** `enum ibv_gid_type`. */
export const {
  /** `GidType.IB`. */ IB: IBV_GID_TYPE_IB,
  /** `GidType.ROCE_V1`. */ ROCE_V1: IBV_GID_TYPE_ROCE_V1,
  /** `GidType.ROCE_V2`. */ ROCE_V2: IBV_GID_TYPE_ROCE_V2,
} = GidType;

/** `enum ibv_mtu`. */
export const {
  /** `Mtu.MTU_256`. */ MTU_256: IBV_MTU_256,
  /** `Mtu.MTU_512`. */ MTU_512: IBV_MTU_512,
  /** `Mtu.MTU_1024`. */ MTU_1024: IBV_MTU_1024,
  /** `Mtu.MTU_2048`. */ MTU_2048: IBV_MTU_2048,
  /** `Mtu.MTU_4096`. */ MTU_4096: IBV_MTU_4096,
} = Mtu;

/** `enum ibv_rate`. */
export const {
  /** `Rate.MAX`. */ MAX: IBV_RATE_MAX,
  /** `Rate.RATE_2_5_GBPS`. */ RATE_2_5_GBPS: IBV_RATE_2_5_GBPS,
  /** `Rate.RATE_5_GBPS`. */ RATE_5_GBPS: IBV_RATE_5_GBPS,
  /** `Rate.RATE_10_GBPS`. */ RATE_10_GBPS: IBV_RATE_10_GBPS,
  /** `Rate.RATE_20_GBPS`. */ RATE_20_GBPS: IBV_RATE_20_GBPS,
  /** `Rate.RATE_30_GBPS`. */ RATE_30_GBPS: IBV_RATE_30_GBPS,
  /** `Rate.RATE_40_GBPS`. */ RATE_40_GBPS: IBV_RATE_40_GBPS,
  /** `Rate.RATE_60_GBPS`. */ RATE_60_GBPS: IBV_RATE_60_GBPS,
  /** `Rate.RATE_80_GBPS`. */ RATE_80_GBPS: IBV_RATE_80_GBPS,
  /** `Rate.RATE_120_GBPS`. */ RATE_120_GBPS: IBV_RATE_120_GBPS,
  /** `Rate.RATE_14_GBPS`. */ RATE_14_GBPS: IBV_RATE_14_GBPS,
  /** `Rate.RATE_56_GBPS`. */ RATE_56_GBPS: IBV_RATE_56_GBPS,
  /** `Rate.RATE_112_GBPS`. */ RATE_112_GBPS: IBV_RATE_112_GBPS,
  /** `Rate.RATE_168_GBPS`. */ RATE_168_GBPS: IBV_RATE_168_GBPS,
  /** `Rate.RATE_25_GBPS`. */ RATE_25_GBPS: IBV_RATE_25_GBPS,
  /** `Rate.RATE_100_GBPS`. */ RATE_100_GBPS: IBV_RATE_100_GBPS,
  /** `Rate.RATE_200_GBPS`. */ RATE_200_GBPS: IBV_RATE_200_GBPS,
  /** `Rate.RATE_300_GBPS`. */ RATE_300_GBPS: IBV_RATE_300_GBPS,
  /** `Rate.RATE_28_GBPS`. */ RATE_28_GBPS: IBV_RATE_28_GBPS,
  /** `Rate.RATE_50_GBPS`. */ RATE_50_GBPS: IBV_RATE_50_GBPS,
  /** `Rate.RATE_400_GBPS`. */ RATE_400_GBPS: IBV_RATE_400_GBPS,
  /** `Rate.RATE_600_GBPS`. */ RATE_600_GBPS: IBV_RATE_600_GBPS,
  /** `Rate.RATE_800_GBPS`. */ RATE_800_GBPS: IBV_RATE_800_GBPS,
  /** `Rate.RATE_1200_GBPS`. */ RATE_1200_GBPS: IBV_RATE_1200_GBPS,
} = Rate;

/** `enum ibv_event_type`. */
export const {
  /** `EventType.CQ_ERR`. */ CQ_ERR: IBV_EVENT_CQ_ERR,
  /** `EventType.QP_FATAL`. */ QP_FATAL: IBV_EVENT_QP_FATAL,
  /** `EventType.QP_REQ_ERR`. */ QP_REQ_ERR: IBV_EVENT_QP_REQ_ERR,
  /** `EventType.QP_ACCESS_ERR`. */ QP_ACCESS_ERR: IBV_EVENT_QP_ACCESS_ERR,
  /** `EventType.COMM_EST`. */ COMM_EST: IBV_EVENT_COMM_EST,
  /** `EventType.SQ_DRAINED`. */ SQ_DRAINED: IBV_EVENT_SQ_DRAINED,
  /** `EventType.PATH_MIG`. */ PATH_MIG: IBV_EVENT_PATH_MIG,
  /** `EventType.PATH_MIG_ERR`. */ PATH_MIG_ERR: IBV_EVENT_PATH_MIG_ERR,
  /** `EventType.DEVICE_FATAL`. */ DEVICE_FATAL: IBV_EVENT_DEVICE_FATAL,
  /** `EventType.PORT_ACTIVE`. */ PORT_ACTIVE: IBV_EVENT_PORT_ACTIVE,
  /** `EventType.PORT_ERR`. */ PORT_ERR: IBV_EVENT_PORT_ERR,
  /** `EventType.LID_CHANGE`. */ LID_CHANGE: IBV_EVENT_LID_CHANGE,
  /** `EventType.PKEY_CHANGE`. */ PKEY_CHANGE: IBV_EVENT_PKEY_CHANGE,
  /** `EventType.SM_CHANGE`. */ SM_CHANGE: IBV_EVENT_SM_CHANGE,
  /** `EventType.SRQ_ERR`. */ SRQ_ERR: IBV_EVENT_SRQ_ERR,
  /** `EventType.SRQ_LIMIT_REACHED`. */ SRQ_LIMIT_REACHED: IBV_EVENT_SRQ_LIMIT_REACHED,
  /** `EventType.QP_LAST_WQE_REACHED`. */ QP_LAST_WQE_REACHED: IBV_EVENT_QP_LAST_WQE_REACHED,
  /** `EventType.CLIENT_REREGISTER`. */ CLIENT_REREGISTER: IBV_EVENT_CLIENT_REREGISTER,
  /** `EventType.GID_CHANGE`. */ GID_CHANGE: IBV_EVENT_GID_CHANGE,
  /** `EventType.WQ_FATAL`. */ WQ_FATAL: IBV_EVENT_WQ_FATAL,
  /** `EventType.DEVICE_SPEED_CHANGE`. */ DEVICE_SPEED_CHANGE: IBV_EVENT_DEVICE_SPEED_CHANGE,
} = EventType;

/** `enum ibv_access_flags`. */
export const {
  /** `AccessFlags.LOCAL_WRITE`. */ LOCAL_WRITE: IBV_ACCESS_LOCAL_WRITE,
  /** `AccessFlags.REMOTE_WRITE`. */ REMOTE_WRITE: IBV_ACCESS_REMOTE_WRITE,
  /** `AccessFlags.REMOTE_READ`. */ REMOTE_READ: IBV_ACCESS_REMOTE_READ,
  /** `AccessFlags.REMOTE_ATOMIC`. */ REMOTE_ATOMIC: IBV_ACCESS_REMOTE_ATOMIC,
  /** `AccessFlags.MW_BIND`. */ MW_BIND: IBV_ACCESS_MW_BIND,
  /** `AccessFlags.ZERO_BASED`. */ ZERO_BASED: IBV_ACCESS_ZERO_BASED,
  /** `AccessFlags.ON_DEMAND`. */ ON_DEMAND: IBV_ACCESS_ON_DEMAND,
  /** `AccessFlags.HUGETLB`. */ HUGETLB: IBV_ACCESS_HUGETLB,
  /** `AccessFlags.FLUSH_GLOBAL`. */ FLUSH_GLOBAL: IBV_ACCESS_FLUSH_GLOBAL,
  /** `AccessFlags.FLUSH_PERSISTENT`. */ FLUSH_PERSISTENT: IBV_ACCESS_FLUSH_PERSISTENT,
  /** `AccessFlags.RELAXED_ORDERING`. */ RELAXED_ORDERING: IBV_ACCESS_RELAXED_ORDERING,
} = AccessFlags;

// `enum ibv_mw_type`.

/** `MwType.TYPE_1`. */
export const IBV_MW_TYPE_1 = MwType.TYPE_1;

/** `MwType.TYPE_2`. */
export const IBV_MW_TYPE_2 = MwType.TYPE_2;

/** `enum ibv_rereg_mr_flags`. */
export const {
  /** `ReregMrFlags.CHANGE_TRANSLATION`. */ CHANGE_TRANSLATION: IBV_REREG_MR_CHANGE_TRANSLATION,
  /** `ReregMrFlags.CHANGE_PD`. */ CHANGE_PD: IBV_REREG_MR_CHANGE_PD,
  /** `ReregMrFlags.CHANGE_ACCESS`. */ CHANGE_ACCESS: IBV_REREG_MR_CHANGE_ACCESS,
} = ReregMrFlags;

/** `enum ibv_mr_init_attr_mask`. */
export const {
  /** `MrInitAttrMask.IOVA`. */ IOVA: IBV_REG_MR_MASK_IOVA,
  /** `MrInitAttrMask.ADDR`. */ ADDR: IBV_REG_MR_MASK_ADDR,
  /** `MrInitAttrMask.FD`. */ FD: IBV_REG_MR_MASK_FD,
  /** `MrInitAttrMask.FD_OFFSET`. */ FD_OFFSET: IBV_REG_MR_MASK_FD_OFFSET,
  /** `MrInitAttrMask.DMAH`. */ DMAH: IBV_REG_MR_MASK_DMAH,
  /** `MrInitAttrMask.BUF`. */ BUF: IBV_REG_MR_MASK_BUF,
} = MrInitAttrMask;

/** `enum ibv_fork_status`. */
export const {
  /** `ForkStatus.DISABLED`. */ DISABLED: IBV_FORK_DISABLED,
  /** `ForkStatus.ENABLED`. */ ENABLED: IBV_FORK_ENABLED,
  /** `ForkStatus.UNNEEDED`. */ UNNEEDED: IBV_FORK_UNNEEDED,
} = ForkStatus;

/** `enum ibv_qp_type`. */
export const {
  /** `QpType.RC`. */ RC: IBV_QPT_RC,
  /** `QpType.UC`. */ UC: IBV_QPT_UC,
  /** `QpType.UD`. */ UD: IBV_QPT_UD,
  /** `QpType.RAW_PACKET`. */ RAW_PACKET: IBV_QPT_RAW_PACKET,
  /** `QpType.XRC_SEND`. */ XRC_SEND: IBV_QPT_XRC_SEND,
  /** `QpType.XRC_RECV`. */ XRC_RECV: IBV_QPT_XRC_RECV,
  /** `QpType.DRIVER`. */ DRIVER: IBV_QPT_DRIVER,
} = QpType;

/** `enum ibv_qp_state`. */
export const {
  /** `QpState.RESET`. */ RESET: IBV_QPS_RESET,
  /** `QpState.INIT`. */ INIT: IBV_QPS_INIT,
  /** `QpState.RTR`. */ RTR: IBV_QPS_RTR,
  /** `QpState.RTS`. */ RTS: IBV_QPS_RTS,
  /** `QpState.SQD`. */ SQD: IBV_QPS_SQD,
  /** `QpState.SQE`. */ SQE: IBV_QPS_SQE,
  /** `QpState.ERR`. */ ERR: IBV_QPS_ERR,
  /** `QpState.UNKNOWN`. */ UNKNOWN: IBV_QPS_UNKNOWN,
} = QpState;

/** `enum ibv_mig_state`. */
export const {
  /** `MigState.MIGRATED`. */ MIGRATED: IBV_MIG_MIGRATED,
  /** `MigState.REARM`. */ REARM: IBV_MIG_REARM,
  /** `MigState.ARMED`. */ ARMED: IBV_MIG_ARMED,
} = MigState;

/** `enum ibv_qp_attr_mask`. */
export const {
  /** `QpAttrMask.STATE`. */ STATE: IBV_QP_STATE,
  /** `QpAttrMask.CUR_STATE`. */ CUR_STATE: IBV_QP_CUR_STATE,
  /** `QpAttrMask.EN_SQD_ASYNC_NOTIFY`. */ EN_SQD_ASYNC_NOTIFY: IBV_QP_EN_SQD_ASYNC_NOTIFY,
  /** `QpAttrMask.ACCESS_FLAGS`. */ ACCESS_FLAGS: IBV_QP_ACCESS_FLAGS,
  /** `QpAttrMask.PKEY_INDEX`. */ PKEY_INDEX: IBV_QP_PKEY_INDEX,
  /** `QpAttrMask.PORT`. */ PORT: IBV_QP_PORT,
  /** `QpAttrMask.QKEY`. */ QKEY: IBV_QP_QKEY,
  /** `QpAttrMask.AV`. */ AV: IBV_QP_AV,
  /** `QpAttrMask.PATH_MTU`. */ PATH_MTU: IBV_QP_PATH_MTU,
  /** `QpAttrMask.TIMEOUT`. */ TIMEOUT: IBV_QP_TIMEOUT,
  /** `QpAttrMask.RETRY_CNT`. */ RETRY_CNT: IBV_QP_RETRY_CNT,
  /** `QpAttrMask.RNR_RETRY`. */ RNR_RETRY: IBV_QP_RNR_RETRY,
  /** `QpAttrMask.RQ_PSN`. */ RQ_PSN: IBV_QP_RQ_PSN,
  /** `QpAttrMask.MAX_QP_RD_ATOMIC`. */ MAX_QP_RD_ATOMIC: IBV_QP_MAX_QP_RD_ATOMIC,
  /** `QpAttrMask.ALT_PATH`. */ ALT_PATH: IBV_QP_ALT_PATH,
  /** `QpAttrMask.MIN_RNR_TIMER`. */ MIN_RNR_TIMER: IBV_QP_MIN_RNR_TIMER,
  /** `QpAttrMask.SQ_PSN`. */ SQ_PSN: IBV_QP_SQ_PSN,
  /** `QpAttrMask.MAX_DEST_RD_ATOMIC`. */ MAX_DEST_RD_ATOMIC: IBV_QP_MAX_DEST_RD_ATOMIC,
  /** `QpAttrMask.PATH_MIG_STATE`. */ PATH_MIG_STATE: IBV_QP_PATH_MIG_STATE,
  /** `QpAttrMask.CAP`. */ CAP: IBV_QP_CAP,
  /** `QpAttrMask.DEST_QPN`. */ DEST_QPN: IBV_QP_DEST_QPN,
  /** `QpAttrMask.RATE_LIMIT`. */ RATE_LIMIT: IBV_QP_RATE_LIMIT,
} = QpAttrMask;

/** `enum ibv_srq_type`. */
export const {
  /** `SrqType.BASIC`. */ BASIC: IBV_SRQT_BASIC,
  /** `SrqType.XRC`. */ XRC: IBV_SRQT_XRC,
  /** `SrqType.TM`. */ TM: IBV_SRQT_TM,
} = SrqType;

// `enum ibv_srq_attr_mask`.

/** `SrqAttrMask.MAX_WR`. */
export const IBV_SRQ_MAX_WR = SrqAttrMask.MAX_WR;

/** `SrqAttrMask.LIMIT`. */
export const IBV_SRQ_LIMIT = SrqAttrMask.LIMIT;

/** `enum ibv_wr_opcode`. */
export const {
  /** `WrOpcode.RDMA_WRITE`. */ RDMA_WRITE: IBV_WR_RDMA_WRITE,
  /** `WrOpcode.RDMA_WRITE_WITH_IMM`. */ RDMA_WRITE_WITH_IMM: IBV_WR_RDMA_WRITE_WITH_IMM,
  /** `WrOpcode.SEND`. */ SEND: IBV_WR_SEND,
  /** `WrOpcode.SEND_WITH_IMM`. */ SEND_WITH_IMM: IBV_WR_SEND_WITH_IMM,
  /** `WrOpcode.RDMA_READ`. */ RDMA_READ: IBV_WR_RDMA_READ,
  /** `WrOpcode.ATOMIC_CMP_AND_SWP`. */ ATOMIC_CMP_AND_SWP: IBV_WR_ATOMIC_CMP_AND_SWP,
  /** `WrOpcode.ATOMIC_FETCH_AND_ADD`. */ ATOMIC_FETCH_AND_ADD: IBV_WR_ATOMIC_FETCH_AND_ADD,
  /** `WrOpcode.LOCAL_INV`. */ LOCAL_INV: IBV_WR_LOCAL_INV,
  /** `WrOpcode.BIND_MW`. */ BIND_MW: IBV_WR_BIND_MW,
  /** `WrOpcode.SEND_WITH_INV`. */ SEND_WITH_INV: IBV_WR_SEND_WITH_INV,
  /** `WrOpcode.TSO`. */ TSO: IBV_WR_TSO,
  /** `WrOpcode.DRIVER1`. */ DRIVER1: IBV_WR_DRIVER1,
  /** `WrOpcode.FLUSH`. */ FLUSH: IBV_WR_FLUSH,
  /** `WrOpcode.ATOMIC_WRITE`. */ ATOMIC_WRITE: IBV_WR_ATOMIC_WRITE,
} = WrOpcode;

/** `enum ibv_placement_type`. */
export const {
  /** `PlacementType.GLOBAL`. */ GLOBAL: IBV_FLUSH_GLOBAL,
  /** `PlacementType.PERSISTENT`. */ PERSISTENT: IBV_FLUSH_PERSISTENT,
} = PlacementType;

/** `enum ibv_selectivity_level`. */
export const {
  /** `SelectivityLevel.RANGE`. */ RANGE: IBV_FLUSH_RANGE,
  /** `SelectivityLevel.MR`. */ MR: IBV_FLUSH_MR,
} = SelectivityLevel;

/** `enum ibv_send_flags`. */
export const {
  /** `SendFlags.FENCE`. */ FENCE: IBV_SEND_FENCE,
  /** `SendFlags.SIGNALED`. */ SIGNALED: IBV_SEND_SIGNALED,
  /** `SendFlags.SOLICITED`. */ SOLICITED: IBV_SEND_SOLICITED,
  /** `SendFlags.INLINE`. */ INLINE: IBV_SEND_INLINE,
  /** `SendFlags.IP_CSUM`. */ IP_CSUM: IBV_SEND_IP_CSUM,
} = SendFlags;

/** `enum ibv_wc_status`. */
export const {
  /** `WcStatus.SUCCESS`. */ SUCCESS: IBV_WC_SUCCESS,
  /** `WcStatus.LOC_LEN_ERR`. */ LOC_LEN_ERR: IBV_WC_LOC_LEN_ERR,
  /** `WcStatus.LOC_QP_OP_ERR`. */ LOC_QP_OP_ERR: IBV_WC_LOC_QP_OP_ERR,
  /** `WcStatus.LOC_EEC_OP_ERR`. */ LOC_EEC_OP_ERR: IBV_WC_LOC_EEC_OP_ERR,
  /** `WcStatus.LOC_PROT_ERR`. */ LOC_PROT_ERR: IBV_WC_LOC_PROT_ERR,
  /** `WcStatus.WR_FLUSH_ERR`. */ WR_FLUSH_ERR: IBV_WC_WR_FLUSH_ERR,
  /** `WcStatus.MW_BIND_ERR`. */ MW_BIND_ERR: IBV_WC_MW_BIND_ERR,
  /** `WcStatus.BAD_RESP_ERR`. */ BAD_RESP_ERR: IBV_WC_BAD_RESP_ERR,
  /** `WcStatus.LOC_ACCESS_ERR`. */ LOC_ACCESS_ERR: IBV_WC_LOC_ACCESS_ERR,
  /** `WcStatus.REM_INV_REQ_ERR`. */ REM_INV_REQ_ERR: IBV_WC_REM_INV_REQ_ERR,
  /** `WcStatus.REM_ACCESS_ERR`. */ REM_ACCESS_ERR: IBV_WC_REM_ACCESS_ERR,
  /** `WcStatus.REM_OP_ERR`. */ REM_OP_ERR: IBV_WC_REM_OP_ERR,
  /** `WcStatus.RETRY_EXC_ERR`. */ RETRY_EXC_ERR: IBV_WC_RETRY_EXC_ERR,
  /** `WcStatus.RNR_RETRY_EXC_ERR`. */ RNR_RETRY_EXC_ERR: IBV_WC_RNR_RETRY_EXC_ERR,
  /** `WcStatus.LOC_RDD_VIOL_ERR`. */ LOC_RDD_VIOL_ERR: IBV_WC_LOC_RDD_VIOL_ERR,
  /** `WcStatus.REM_INV_RD_REQ_ERR`. */ REM_INV_RD_REQ_ERR: IBV_WC_REM_INV_RD_REQ_ERR,
  /** `WcStatus.REM_ABORT_ERR`. */ REM_ABORT_ERR: IBV_WC_REM_ABORT_ERR,
  /** `WcStatus.INV_EECN_ERR`. */ INV_EECN_ERR: IBV_WC_INV_EECN_ERR,
  /** `WcStatus.INV_EEC_STATE_ERR`. */ INV_EEC_STATE_ERR: IBV_WC_INV_EEC_STATE_ERR,
  /** `WcStatus.FATAL_ERR`. */ FATAL_ERR: IBV_WC_FATAL_ERR,
  /** `WcStatus.RESP_TIMEOUT_ERR`. */ RESP_TIMEOUT_ERR: IBV_WC_RESP_TIMEOUT_ERR,
  /** `WcStatus.GENERAL_ERR`. */ GENERAL_ERR: IBV_WC_GENERAL_ERR,
  /** `WcStatus.TM_ERR`. */ TM_ERR: IBV_WC_TM_ERR,
  /** `WcStatus.TM_RNDV_INCOMPLETE`. */ TM_RNDV_INCOMPLETE: IBV_WC_TM_RNDV_INCOMPLETE,
} = WcStatus;

/** `enum ibv_wc_opcode`. */
export const {
  /** `WcOpcode.SEND`. */ SEND: IBV_WC_SEND,
  /** `WcOpcode.RDMA_WRITE`. */ RDMA_WRITE: IBV_WC_RDMA_WRITE,
  /** `WcOpcode.RDMA_READ`. */ RDMA_READ: IBV_WC_RDMA_READ,
  /** `WcOpcode.COMP_SWAP`. */ COMP_SWAP: IBV_WC_COMP_SWAP,
  /** `WcOpcode.FETCH_ADD`. */ FETCH_ADD: IBV_WC_FETCH_ADD,
  /** `WcOpcode.BIND_MW`. */ BIND_MW: IBV_WC_BIND_MW,
  /** `WcOpcode.LOCAL_INV`. */ LOCAL_INV: IBV_WC_LOCAL_INV,
  /** `WcOpcode.TSO`. */ TSO: IBV_WC_TSO,
  /** `WcOpcode.FLUSH`. */ FLUSH: IBV_WC_FLUSH,
  /** `WcOpcode.ATOMIC_WRITE`. */ ATOMIC_WRITE: IBV_WC_ATOMIC_WRITE,
  /** `WcOpcode.RECV`. */ RECV: IBV_WC_RECV,
  /** `WcOpcode.RECV_RDMA_WITH_IMM`. */ RECV_RDMA_WITH_IMM: IBV_WC_RECV_RDMA_WITH_IMM,
  /** `WcOpcode.TM_ADD`. */ TM_ADD: IBV_WC_TM_ADD,
  /** `WcOpcode.TM_DEL`. */ TM_DEL: IBV_WC_TM_DEL,
  /** `WcOpcode.TM_SYNC`. */ TM_SYNC: IBV_WC_TM_SYNC,
  /** `WcOpcode.TM_RECV`. */ TM_RECV: IBV_WC_TM_RECV,
  /** `WcOpcode.TM_NO_TAG`. */ TM_NO_TAG: IBV_WC_TM_NO_TAG,
  /** `WcOpcode.DRIVER1`. */ DRIVER1: IBV_WC_DRIVER1,
  /** `WcOpcode.DRIVER2`. */ DRIVER2: IBV_WC_DRIVER2,
  /** `WcOpcode.DRIVER3`. */ DRIVER3: IBV_WC_DRIVER3,
} = WcOpcode;

/** `enum ibv_wc_flags`. */
export const {
  /** `WcFlags.GRH`. */ GRH: IBV_WC_GRH,
  /** `WcFlags.WITH_IMM`. */ WITH_IMM: IBV_WC_WITH_IMM,
  /** `WcFlags.IP_CSUM_OK`. */ IP_CSUM_OK: IBV_WC_IP_CSUM_OK,
  /** `WcFlags.WITH_INV`. */ WITH_INV: IBV_WC_WITH_INV,
  /** `WcFlags.TM_SYNC_REQ`. */ TM_SYNC_REQ: IBV_WC_TM_SYNC_REQ,
  /** `WcFlags.TM_MATCH`. */ TM_MATCH: IBV_WC_TM_MATCH,
  /** `WcFlags.TM_DATA_VALID`. */ TM_DATA_VALID: IBV_WC_TM_DATA_VALID,
} = WcFlags;

/** `enum ibv_create_cq_wc_flags`. */
export const {
  /** `WcExFlags.BYTE_LEN`. */ BYTE_LEN: IBV_WC_EX_WITH_BYTE_LEN,
  /** `WcExFlags.IMM`. */ IMM: IBV_WC_EX_WITH_IMM,
  /** `WcExFlags.QP_NUM`. */ QP_NUM: IBV_WC_EX_WITH_QP_NUM,
  /** `WcExFlags.SRC_QP`. */ SRC_QP: IBV_WC_EX_WITH_SRC_QP,
  /** `WcExFlags.SLID`. */ SLID: IBV_WC_EX_WITH_SLID,
  /** `WcExFlags.SL`. */ SL: IBV_WC_EX_WITH_SL,
  /** `WcExFlags.DLID_PATH_BITS`. */ DLID_PATH_BITS: IBV_WC_EX_WITH_DLID_PATH_BITS,
  /** `WcExFlags.COMPLETION_TIMESTAMP`. */ COMPLETION_TIMESTAMP: IBV_WC_EX_WITH_COMPLETION_TIMESTAMP,
  /** `WcExFlags.CVLAN`. */ CVLAN: IBV_WC_EX_WITH_CVLAN,
  /** `WcExFlags.FLOW_TAG`. */ FLOW_TAG: IBV_WC_EX_WITH_FLOW_TAG,
  /** `WcExFlags.TM_INFO`. */ TM_INFO: IBV_WC_EX_WITH_TM_INFO,
  /** `WcExFlags.COMPLETION_TIMESTAMP_WALLCLOCK`. */ COMPLETION_TIMESTAMP_WALLCLOCK:
    IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK,
} = WcExFlags;

/** `WC_STANDARD_FLAGS`. */
export const IBV_WC_STANDARD_FLAGS = WC_STANDARD_FLAGS;

/** `enum ibv_create_cq_attr_flags`. */
export const {
  /** `CreateCqFlags.SINGLE_THREADED`. */ SINGLE_THREADED: IBV_CREATE_CQ_ATTR_SINGLE_THREADED,
  /** `CreateCqFlags.IGNORE_OVERRUN`. */ IGNORE_OVERRUN: IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN,
} = CreateCqFlags;

/** `CqAttrMask.MODERATE`, of `enum ibv_cq_attr_mask`. */
export const IBV_CQ_ATTR_MODERATE = CqAttrMask.MODERATE;

/** `enum ibv_query_qp_data_in_order_flags`. */
export const {
  /** `QpDataInOrderFlags.RETURN_CAPS`. */ RETURN_CAPS: IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS,
  /** `QpDataInOrderFlags.DEVICE_ONLY`. */ DEVICE_ONLY: IBV_QUERY_QP_DATA_IN_ORDER_DEVICE_ONLY,
} = QpDataInOrderFlags;

/** `enum ibv_query_qp_data_in_order_caps`. */
export const {
  /** `QpDataInOrderCaps.WHOLE_MSG`. */ WHOLE_MSG: IBV_QUERY_QP_DATA_IN_ORDER_WHOLE_MSG,
  /** `QpDataInOrderCaps.ALIGNED_128_BYTES`. */ ALIGNED_128_BYTES: IBV_QUERY_QP_DATA_IN_ORDER_ALIGNED_128_BYTES,
} = QpDataInOrderCaps;
