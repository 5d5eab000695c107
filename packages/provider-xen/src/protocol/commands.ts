/**
 * The commands of the device channel, in one table.
 *
 * A handle is the lower device's own number of an object, and is good within the context that it was made in. `cookie` is the
 * front-end's number of an object: events name it, so that a late event of a number that is used again goes to nobody.
 */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import {
  ahAttr,
  completion,
  deviceAttr,
  deviceAttrEx,
  gid,
  portAttr,
  qpAttr,
  qpCap,
  recvWr,
  sendWr,
  srqAttr,
} from './attributes.ts';
import { command } from './command.ts';
import { bool, handle, int, list, nullable, struct, text, u32, u53, u64 } from './field.ts';
import type { Field } from './field.ts';
import {
  COMPLETIONS_PER_DRAIN,
  COUNTERS_MAX,
  ERROR_TEXT_BYTES_MAX,
  NAME_BYTES_MAX,
  PAGES_PER_COMMAND,
  REGION_PAGES_MAX,
  USER_HALF_PAGES_MAX,
  USER_HALF_WORDS_MAX,
  WRS_PER_COMMAND,
} from './limits.ts';

const u8 = int(0, 0xff);
const u16 = int(0, 0xffff);

/**
 * What the user half of the lower device's driver is made of. Its pages, those of the UAR, are granted to the front-end, which unmaps them
 * before CLOSE_CONTEXT.
 */
const userHalf = struct({
  driver: text(NAME_BYTES_MAX),
  refs: list(u32, USER_HALF_PAGES_MAX),
  words: list(u32, USER_HALF_WORDS_MAX),
});
/** The same as a value: `refs` are the grant references of the pages. */
export type GrantedUserHalf = typeof userHalf extends Field<infer T> ? T : never;

/**
 * How many of the completions that a CQ gave the application has polled, a free-running count: until then they have their places in the
 * CQ. 0 in bypass.
 */
const consumed = u32;

/**
 * A file, as the guest's system knows it. The back-end has no file of the guest's: a number of an open file would be of another table there, and the
 * same two numbers are another file in another guest.
 */
const inode = struct({ dev: u64, ino: u64 });

/** Commands on an object name the context and the object. */
const onCq = { context: handle, cq: handle };
const onQp = { context: handle, qp: handle };
const onSrq = { context: handle, srq: handle };

/** Ring memory of the front-end's (bypass): its key of stage one. 0 in basic, where the back-end has its own. */
const key = handle;

/** What a region is for. */
export const RegionUse = {
  /** `ibv_reg_mr` and its kin. */
  MEMORY: 0,
  /** Rings of a CQ, QP or SRQ: stage one of their creation. */
  RINGS: 1,
  /** `ibv_rereg_mr`. */
  CHANGE: 2,
} as const;

/** Every command: {number, request, response}. */
export const Commands = {
  // Contexts and what is asked of a device.
  OPEN_CONTEXT: command(1, {}, { context: handle, userHalf: nullable(userHalf) }),
  CLOSE_CONTEXT: command(2, { context: handle }, {}),
  QUERY_DEVICE: command(3, { context: handle }, { attr: deviceAttr }),
  QUERY_DEVICE_EX: command(4, { context: handle }, { attr: deviceAttrEx }),
  QUERY_PORT: command(5, { context: handle, port: u8 }, { attr: portAttr }),
  QUERY_GID: command(6, { context: handle, port: u8, index: u16 }, { gid, gidType: u8, ndevIfindex: u32 }),
  QUERY_PKEY: command(7, { context: handle, port: u8, index: u16 }, { pkey: u16 }),
  QUERY_HW_COUNTERS: command(
    8,
    { context: handle, port: u8 },
    { counters: list(struct({ name: text(NAME_BYTES_MAX), value: u53 }), COUNTERS_MAX) },
  ),
  QUERY_RT_VALUES: command(9, { context: handle }, { rawClock: u53 }),

  // Protection domains and XRC domains.
  ALLOC_PD: command(16, { context: handle }, { pd: handle }),
  DEALLOC_PD: command(17, { context: handle, pd: handle }, {}),
  OPEN_XRCD: command(18, { context: handle, inode: nullable(inode), oflags: u32 }, { xrcd: handle }),
  CLOSE_XRCD: command(19, { context: handle, xrcd: handle }, {}),

  // Memory. A region is told of, then its pages in chunks, then it is made; or it is given up.
  BEGIN_REGION: command(
    32,
    {
      context: handle,
      use: u8,
      /** With CHANGE: which one, and `ibv_rereg_mr_flags`. */
      mr: handle,
      flags: u32,
      pd: handle,
      access: u32,
      iova: u53,
      length: u53,
      firstOffset: int(0, XEN_PAGE_BYTES - 1),
      pages: int(1, REGION_PAGES_MAX),
    },
    { region: handle },
  ),
  ADD_PAGES: command(33, { region: handle, pages: list(u32, PAGES_PER_COMMAND) }, {}),
  END_REGION: command(34, { region: handle }, { mr: handle, lkey: u32, rkey: u32 }),
  ABORT_REGION: command(35, { region: handle }, {}),
  /** Also ends ring memory. */
  DEREG_MR: command(36, { context: handle, mr: handle }, {}),
  ALLOC_NULL_MR: command(37, { context: handle, pd: handle }, { mr: handle, lkey: u32 }),
  /** All pages of the guest, by their bus addresses. */
  GET_DMA_MR: command(38, { context: handle, pd: handle, access: u32 }, { mr: handle, lkey: u32, rkey: u32 }),
  ALLOC_MW: command(39, { context: handle, pd: handle, type: u8 }, { mw: handle, rkey: u32 }),
  DEALLOC_MW: command(40, { context: handle, mw: handle }, {}),

  // Address handles and groups.
  CREATE_AH: command(48, { context: handle, pd: handle, attr: ahAttr }, { ah: handle }),
  DESTROY_AH: command(49, { context: handle, ah: handle }, {}),
  ATTACH_MCAST: command(50, { ...onQp, gid, lid: u16 }, {}),
  DETACH_MCAST: command(51, { ...onQp, gid, lid: u16 }, {}),

  // Completion queues.
  CREATE_CQ: command(
    64,
    {
      context: handle,
      cqe: int(1, 0x7fffffff),
      compVector: u32,
      cookie: u32,
      timestamps: bool,
      ignoreOverrun: bool,
      extended: bool,
      key,
    },
    { cq: handle, cqe: u32 },
  ),
  DESTROY_CQ: command(65, onCq, {}),
  RESIZE_CQ: command(66, { ...onCq, cqe: int(1, 0x7fffffff), consumed, key }, { cqe: u32 }),
  MODIFY_CQ: command(67, { ...onCq, cqCount: u16, cqPeriod: u16 }, {}),
  DRAIN_CQ: command(
    68,
    {
      ...onCq,
      max: int(1, COMPLETIONS_PER_DRAIN),
      consumed,
      /** How many of those that have their places then, the oldest, the application takes at once. */
      taken: u32,
    },
    {
      more: bool,
      completions: list(completion, COMPLETIONS_PER_DRAIN),
      /** The QPs of those that are errors, each once, with the states that they are in now. */
      states: list(struct({ qp: handle, state: u8 }), COMPLETIONS_PER_DRAIN),
    },
    { bulk: true },
  ),
  REQ_NOTIFY_CQ: command(69, { ...onCq, solicitedOnly: bool }, { missed: bool }),
  CONSUME_CQ: command(70, { ...onCq, consumed }, {}),

  // Queue pairs.
  CREATE_QP: command(
    80,
    {
      context: handle,
      pd: handle,
      sendCq: handle,
      recvCq: handle,
      srq: handle,
      xrcd: handle,
      qpType: u8,
      sqSigAll: bool,
      cap: qpCap,
      cookie: u32,
      key,
    },
    { qp: handle, cap: qpCap },
  ),
  MODIFY_QP: command(81, { ...onQp, attr: qpAttr }, {}),
  QUERY_QP: command(82, onQp, { attr: qpAttr, cap: qpCap }),
  DESTROY_QP: command(83, onQp, {}),
  QUERY_QP_DATA_IN_ORDER: command(84, { ...onQp, opcode: u8, deviceOnly: bool }, { caps: u32 }),
  POST_SEND: command(
    85,
    { ...onQp, consumed, wrs: list(sendWr, WRS_PER_COMMAND) },
    { errno: u32, badWrIndex: u32 },
    { bulk: true },
  ),
  POST_RECV: command(
    86,
    { ...onQp, consumed, wrs: list(recvWr, WRS_PER_COMMAND) },
    { errno: u32, badWrIndex: u32 },
    { bulk: true },
  ),

  /** Another opening of an XRC_RECV QP. */
  OPEN_QP: command(87, { context: handle, xrcd: handle, qpNum: u32, cookie: u32 }, { qp: handle, cap: qpCap }),

  // Shared receive queues.
  CREATE_SRQ: command(
    96,
    { context: handle, pd: handle, attr: srqAttr, xrcd: handle, cq: handle, cookie: u32, key },
    { srq: handle, maxWr: u32, maxSge: u32, srqNum: u32 },
  ),
  MODIFY_SRQ: command(97, { ...onSrq, attr: srqAttr, key }, { maxWr: u32 }),
  QUERY_SRQ: command(98, onSrq, { attr: srqAttr }),
  DESTROY_SRQ: command(99, onSrq, {}),
  POST_SRQ_RECV: command(
    100,
    { ...onSrq, wrs: list(recvWr, WRS_PER_COMMAND) },
    { errno: u32, badWrIndex: u32 },
    { bulk: true },
  ),
} as const;

/** Name of a command. */
export type CommandName = keyof typeof Commands;

/** What a failed command answers: the error that the lower device gave. */
export const failure = struct({
  code: text(NAME_BYTES_MAX),
  message: text(ERROR_TEXT_BYTES_MAX),
  hint: text(ERROR_TEXT_BYTES_MAX),
});

/** Status of a response: whether `response` of the command follows, or {@link failure}. */
export const Status = { OK: 0, FAILED: 1 } as const;
