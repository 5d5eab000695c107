/** Bad values of every field of every command. A field that is in no line of the table has none that is known, which is an error. */
import { Gid, QpState } from '@openverbs/verbs';
import type { CommandName } from '../../src/protocol/commands.ts';
import {
  COMPLETIONS_PER_DRAIN,
  INLINE_BYTES_MAX,
  PAGES_PER_COMMAND,
  REGION_PAGES_MAX,
  SGES_MAX,
  WRS_PER_COMMAND,
} from '../../src/protocol/limits.ts';
import type { Spoiled } from './spoiled-words.ts';
import type { Request, Stage } from './stage.ts';

const UINT32_MAX = 0xffffffff;

/** Numbers of the honest guests, by kind. */
export type Foreign = Readonly<Record<string, readonly number[]>>;
/** Bad values of a field, in a request. */
export type Bad = (stage: Stage, request: Request, foreign: Foreign) => readonly Spoiled[];

const values = (...list: readonly unknown[]): Spoiled[] => list.map((value) => ({ value }));
/** Words that are none of the field's values. */
const words = (...list: readonly (readonly number[])[]): Spoiled[] => list.map((each) => ({ words: each }));
const u8 = words([256], [-1], [0x7fffffff]);
const u16 = words([0x10000], [-1]);
const u24 = words([1 << 24], [-1]);
const u53 = words([0, 0x200000], [-1, -1], [0, -0x80000000]);
const bool = words([2], [-1]);
const huge = values(0x7fffffff, UINT32_MAX);
/** Every value is one: it is stored and given back, it is looked at later, or the command has no use for it. */
const anything: Bad = () => [];

/** A number of an object that there is not, or that is another's. */
function handle(kind: string): Bad {
  return ({ stale, elsewhere }, _, foreign) =>
    values(
      0,
      UINT32_MAX,
      0x7fffffff,
      stale[kind],
      ...(foreign[kind] ?? []),
      ...(elsewhere[kind] === undefined ? [] : [elsewhere[kind]]),
    );
}

/** The same, where 0 says that there is none. */
function optional(kind: string): Bad {
  return (...of) => handle(kind)(...of).filter((bad) => !('value' in bad && bad.value === 0));
}

function where(condition: (request: Request) => boolean, bad: Bad): Bad {
  return (stage, request, foreign) => (condition(request) ? bad(stage, request, foreign) : []);
}

const ahAttrs: Bad = (_, request) => {
  const attr = (request['attr'] as Request)['ahAttr'] ?? request['attr'];
  const { grh } = attr as { readonly grh: object };
  const changed = (...changes: readonly object[]): Spoiled[] =>
    values(...changes.map((each) => ({ ...(attr as object), ...each })));
  return [
    ...changed(
      { portNum: 0 },
      { portNum: 255 },
      { isGlobal: false, grh: undefined },
      { grh: { ...grh, sgidIndex: 255 } },
    ),
    ...words([0x10000], [0, 256], [0, 0, 0, 0, 2], []),
  ];
};

/** What is bad for a field, by its name, or by command and name where that is another thing. */
const BAD: Readonly<Record<string, Bad>> = {
  context: handle('context'),
  pd: handle('pd'),
  cq: handle('cq'),
  sendCq: handle('cq'),
  recvCq: handle('cq'),
  'CREATE_SRQ.cq': where(({ xrcd }) => xrcd !== 0, handle('cq')),
  srq: handle('srq'),
  'CREATE_QP.srq': optional('srq'),
  xrcd: handle('xrcd'),
  'CREATE_QP.xrcd': optional('xrcd'),
  'CREATE_SRQ.xrcd': optional('xrcd'),
  qp: handle('qp'),
  mr: handle('mr'),
  'BEGIN_REGION.mr': where(({ use }) => use === 2, handle('mr')),
  key: optional('mr'),
  mw: handle('mw'),
  ah: handle('ah'),
  region: handle('region'),
  cookie: anything,
  port: () => [...values(0, 2, 255), ...u8],
  'QUERY_HW_COUNTERS.port': () => [...values(2, 255), ...u8],
  index: () => [...values(0xffff), ...u16],
  inode: () => words([2], [-1], [2, 0, 0, 0, 0], [1], [1, 0, 0, 0]),
  'inode.dev': anything,
  'inode.ino': anything,
  oflags: () => values(0, 0o200, 1, UINT32_MAX),
  use: () => [...values(3, 255), ...u8],
  flags: anything,
  access: () => values(1 << 1, 1 << 30, UINT32_MAX),
  iova: () => u53,
  length: () => [...values(0, 1, 4096, 8193, 2 ** 52), ...u53],
  firstOffset: () => [...values(1, 4095), ...words([4096], [-1])],
  'BEGIN_REGION.pages': () => [...values(1, 3, REGION_PAGES_MAX), ...words([0], [-1], [REGION_PAGES_MAX + 1])],
  'ADD_PAGES.pages': ({ frame }, _, foreign) => [
    ...values([], [frame, frame + 1], [0], [1], [UINT32_MAX], [0x7fffffff], ...foreign['frame'].map((each) => [each])),
    ...words([PAGES_PER_COMMAND + 1], [-1], [0x7fffffff], [2, frame], [0, frame]),
  ],
  type: () => [...values(0, 3, 255), ...u8],
  'CREATE_AH.attr': ahAttrs,
  gid: () => words([15, 0, 0, 0, 0], [17, 0, 0, 0, 0, 0], [0], [-1], [16, 0]),
  'ATTACH_MCAST.gid': () => values(new Gid(new Uint8Array(16)), new Gid(new Uint8Array(16).fill(0xfe))),
  'DETACH_MCAST.gid': () => values(new Gid(new Uint8Array(16)), new Gid(new Uint8Array(16).fill(0xff))),
  lid: () => u16,
  cqe: () => [...values(0x7fffffff), ...words([0], [-1], [-0x80000000])],
  compVector: () => values(1 << 16, UINT32_MAX),
  timestamps: () => bool,
  ignoreOverrun: () => bool,
  extended: () => bool,
  solicitedOnly: () => bool,
  sqSigAll: () => bool,
  deviceOnly: () => bool,
  consumed: () => values(1, 0x7fffffff, 0x80000000, UINT32_MAX),
  taken: anything,
  cqCount: () => u16,
  cqPeriod: () => u16,
  max: () => words([0], [-1], [COMPLETIONS_PER_DRAIN + 1]),
  qpType: () => [...values(0, 1, 5, 8, 10, 255), ...u8],
  cap: () => words([]),
  'cap.maxSendWr': () => huge,
  'cap.maxRecvWr': () => huge,
  'cap.maxSendSge': () => huge,
  'cap.maxRecvSge': () => huge,
  'cap.maxInlineData': () => huge,
  qpNum: ({ qp, stale, elsewhere }, _, foreign) =>
    values(0, 1, UINT32_MAX, qp, stale['qp'], elsewhere['qp'], ...foreign['qp']),
  'MODIFY_QP.attr': () => [...words([-1], [1 << 30], [1 << 26]), ...values({ qpState: QpState.SQD })],
  'attr.qpState': () => [...values(QpState.SQD, 7, 200, 255), ...u8],
  'attr.pkeyIndex': () => [...values(0xffff), ...u16],
  'attr.portNum': () => [...values(0, 2, 255), ...u8],
  'attr.qpAccessFlags': () => values(1 << 30, UINT32_MAX),
  'attr.ahAttr': ahAttrs,
  'attr.pathMtu': () => [...values(0, 6, 255), ...u8],
  'attr.destQpNum': () => u24,
  'attr.rqPsn': () => u24,
  'attr.sqPsn': () => u24,
  'attr.maxDestRdAtomic': () => [...values(255), ...u8],
  'attr.maxRdAtomic': () => [...values(255), ...u8],
  'attr.minRnrTimer': () => [...values(32, 255), ...u8],
  'attr.timeout': () => [...values(32, 255), ...u8],
  'attr.retryCnt': () => [...values(8, 255), ...u8],
  'attr.rnrRetry': () => [...values(8, 255), ...u8],
  attr: () => words([1 << 3], [-1]),
  'attr.maxWr': () => [...values(0), ...huge],
  'attr.maxSge': () => huge,
  'CREATE_SRQ.attr.srqLimit': anything,
  'attr.srqLimit': () => [...values(5), ...huge],
  opcode: () => u8,
  wrs: () => words([WRS_PER_COMMAND + 1], [-1], [1], [0x7fffffff]),
  'wrs.wrId': () => u53,
  'wrs.opcode': () => values(100, 200, UINT32_MAX),
  'wrs.sendFlags': () => values(1 << 30, UINT32_MAX),
  'wrs.immData': anything,
  'wrs.rkey': anything,
  'wrs.remoteAddrLo': anything,
  'wrs.remoteAddrHi': anything,
  'wrs.compareAdd': anything,
  'wrs.swap': anything,
  'wrs.flushLength': anything,
  'wrs.flushType': anything,
  'wrs.flushLevel': anything,
  'wrs.remoteQpn': anything,
  'wrs.remoteQkey': anything,
  'wrs.remoteSrqn': anything,
  'wrs.ah': optional('ah'),
  'wrs.bind': ({ stale }) => [
    ...values({ mw: stale['mw'], rkey: 1, mr: 0, addr: 0, length: 0, access: 0 }),
    ...words([2], [-1], [1], [1, 77, 0, 0, 0, 0x200000, 0, 0, 0]),
  ],
  'wrs.inlineData': () => words([2], [1, INLINE_BYTES_MAX + 1], [1, -1], [1, 16]),
  'wrs.sgList': (_, request) => {
    const [{ sgList }] = request['wrs'] as readonly [{ readonly sgList: readonly unknown[] }];
    return [...values([...sgList, ...sgList]), ...words([SGES_MAX + 1], [-1], [2], [1])];
  },
  'wrs.sgList.addr': () => u53,
  'wrs.sgList.length': anything,
  'wrs.sgList.lkey': anything,
};

/** @param path - of the field, as `fieldsOf` names it */
export function badFor(name: CommandName, path: string): Bad {
  const field = path.replace(/\.\d+/g, '');
  const bad = BAD[`${name}.${field}`] ?? BAD[field];
  if (bad === undefined) throw new Error(`the table of bad values has no line for ${name}.${field}`);
  return bad;
}
