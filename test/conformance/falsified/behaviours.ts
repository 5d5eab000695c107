/**
 * For each capability: how to take the behaviour away from a provider that has it, and how to lend it to one that has not. A
 * capability without a row here does not compile: nobody would know whether the suite notices a lie about it.
 */
import {
  AccessFlags,
  Errno,
  MwType,
  QpState,
  QpType,
  SrqAttrMask,
  VerbsError,
  WrOpcode,
  wrOpcodeStr,
} from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import type { CapabilityName, ContextOps, DeviceFaults, EventSource } from '@openverbs/verbs/driver';
import { CQE_WORDS, CqeWords, type CqRings, type Doorbell } from '@openverbs/verbs/rings';
import type { Falsification } from './falsified-provider.ts';

/** The operations of a context that was just opened; a row changes them. */
export type Ops = { -readonly [Name in keyof ContextOps]: ContextOps[Name] };

/** One row. */
export interface Behaviour {
  /** Takes it away. */
  readonly deny: (ops: Ops) => void;
  /** For what the emulated provider lacks: enough of it for its use not to be refused. */
  readonly lend?: (ops: Ops) => void;
  /** `verbs` asks the manifest before it calls the provider, so that nobody can have it unclaimed. */
  readonly askedByVerbs?: true;
  /** Lies in the place of `deny`, where it is not, or not only, operations of contexts. */
  readonly lies?: readonly Lie[];
  /** Lies beside that: some of it is there. */
  readonly parts?: readonly Lie[];
  /** What using it needs besides. */
  readonly with?: readonly CapabilityName[];
}

/** What the behaviour of a provider denies. */
export interface Lie extends Pick<Falsification, 'changeFaults' | 'changeMachine'> {
  readonly what: string;
  readonly deny?: (ops: Ops) => void;
}

type Operation = Exclude<keyof ContextOps, 'events'>;
type Call<Name extends Operation> = NonNullable<ContextOps[Name]>;

const { ON_DEMAND, HUGETLB, ZERO_BASED, FLUSH_PERSISTENT } = AccessFlags;
const nothing = (): void => {};

/** A row for each, so that one which is added can't be forgotten. */
const FAULT_NAMES: Readonly<Record<keyof DeviceFaults, true>> = {
  setPort: true,
  setGid: true,
  setPkey: true,
  failQp: true,
  failDevice: true,
  removeDevice: true,
};
const FAULTS = Object.keys(FAULT_NAMES) as (keyof DeviceFaults)[];

export const BEHAVIOURS: Readonly<Record<CapabilityName, Behaviour>> = {
  rc: { deny: without(QpType.RC), askedByVerbs: true },
  uc: { deny: without(QpType.UC), askedByVerbs: true },
  ud: { deny: without(QpType.UD), lend: asRc, askedByVerbs: true },
  xrc: {
    deny: without(QpType.XRC_SEND, QpType.XRC_RECV),
    lend: asRc,
    askedByVerbs: true,
    parts: [
      { what: 'no QP sends', deny: without(QpType.XRC_SEND) },
      { what: 'no QP receives', deny: without(QpType.XRC_RECV) },
      { what: 'there are no domains', deny: leftOut('openXrcd') },
    ],
  },
  srq: { deny: leftOut('createSrq') },
  srqResize: {
    deny: (ops) => {
      refuseIf(ops, 'modifySrq', (_srq, _attr, mask) => (mask & SrqAttrMask.MAX_WR) !== 0);
    },
  },
  multicast: { deny: leftOut('attachMcast'), lend: (ops) => void (ops.attachMcast = nothing), with: ['ud'] },
  rdmaWrite: opcodes(WrOpcode.RDMA_WRITE, WrOpcode.RDMA_WRITE_WITH_IMM),
  rdmaRead: opcodes(WrOpcode.RDMA_READ),
  atomics: opcodes(WrOpcode.ATOMIC_CMP_AND_SWP, WrOpcode.ATOMIC_FETCH_AND_ADD),
  atomicWrite: opcodes(WrOpcode.ATOMIC_WRITE),
  flush: opcodes(WrOpcode.FLUSH),
  flushPersistent: withoutAccess(FLUSH_PERSISTENT),
  memoryWindows: {
    ...opcodes(WrOpcode.BIND_MW),
    parts: [MwType.TYPE_1, MwType.TYPE_2].map((type) => ({
      what: `there are none of type ${type}`,
      deny: (ops) => {
        refuseIf(ops, 'allocMw', (_pd, asked) => asked === type);
      },
    })),
  },
  localInvalidate: opcodes(WrOpcode.LOCAL_INV, WrOpcode.SEND_WITH_INV),
  inlineData: {
    deny: (ops) => {
      refuseIf(ops, 'createQp', ({ cap }) => cap.maxInlineData > 0);
    },
  },
  completionEvents: { deny: withoutEvents((type) => type === COMPLETION_EVENT), askedByVerbs: true },
  asyncEvents: { deny: withoutEvents((type) => type !== COMPLETION_EVENT), askedByVerbs: true },
  sqDrain: {
    deny: (ops) => {
      refuseIf(ops, 'modifyQp', (_qp, { qpState }) => qpState === QpState.SQD);
    },
    askedByVerbs: true,
  },
  pathMigration: {
    deny: (ops) => {
      refuseIf(ops, 'modifyQp', (_qp, { altAhAttr, pathMigState }) => altAhAttr !== undefined || pathMigState === 1);
    },
    askedByVerbs: true,
  },
  resizeCq: { deny: leftOut('resizeCq') },
  cqModeration: { deny: leftOut('modifyCq') },
  parentDomains: operations('allocTd', 'allocParentDomain'),
  hwCounters: { deny: leftOut('queryHwCounters') },
  extendedCq: { deny: leftOut('createCqEx') },
  completionTimestamps: {
    deny: (ops) => {
      refuseIf(ops, 'createCqEx', ({ timestamps }) => timestamps);
    },
    askedByVerbs: true,
  },
  reregMr: { deny: leftOut('reregMr') },
  regMrIova: {
    deny: (ops) => {
      refuseIf(ops, 'regMr', ({ access, iova }) => iova !== null && (access & ZERO_BASED) === 0);
    },
    askedByVerbs: true,
  },
  zeroBased: {
    deny: (ops) => {
      refuseIf(ops, 'regMr', ({ access }) => (access & ZERO_BASED) !== 0);
    },
    askedByVerbs: true,
  },
  nullMr: { deny: leftOut('allocNullMr') },
  physicalMr: operations('mapDma', 'regPhysMr', 'reregPhysMr', 'getDmaMr'),
  onDemandPaging: withoutAccess(ON_DEMAND | HUGETLB),
  registersAnyMemory: { deny: nothing, lend: ofOtherMemory, askedByVerbs: true },
  directAccess: {
    deny: (ops) => {
      const post = (): number => Errno.EINVAL;
      const refused = { kind: 'calls', badWrIndex: 0, postSend: post, postRecv: post } as const;
      wrap(ops, 'createQp', (createQp) => (request) => ({ ...createQp(request), dataPath: refused }));
    },
  },
  dmaBuffers: { deny: leftOut('allocBuf') },
  sharesMachine: {
    deny: nothing,
    lies: [
      { what: 'there is no machine', changeMachine: () => undefined },
      { what: 'no message can carry it', changeMachine: (machine) => ({ machine, open: nothing }) },
      { what: 'it is the machine of somebody else', changeMachine: (_machine, other) => other() },
    ],
  },
  deviceFaults: {
    deny: nothing,
    lies: [
      { what: 'there are none', changeFaults: () => undefined },
      ...FAULTS.map((name) => ({
        what: `${name} does nothing`,
        changeFaults: (faults: DeviceFaults): DeviceFaults => ({ ...faults, [name]: nothing }),
      })),
    ],
  },
  vendorErrors: { deny: withoutReasons },
};

/** Replaces an operation, if it is there, by what `make` makes of it. */
function wrap<Name extends Operation>(ops: Ops, name: Name, make: (original: Call<Name>) => Call<Name>): void {
  const original = ops[name] as ((...args: unknown[]) => unknown) | undefined;
  if (original !== undefined) ops[name] = make(original.bind(ops) as Call<Name>);
}

/** Refuses some calls of an operation. */
function refuseIf<Name extends Operation>(
  ops: Ops,
  name: Name,
  refuses: (...args: Parameters<Call<Name>>) => boolean,
): void {
  wrap(ops, name, (original) => {
    const call = original as (...args: Parameters<Call<Name>>) => unknown;
    const replaced = (...args: Parameters<Call<Name>>): unknown => {
      if (refuses(...args)) throw new VerbsError({ code: 'EOPNOTSUPP', message: 'the behaviour was taken away' });
      return call(...args);
    };
    return replaced as Call<Name>;
  });
}

function leftOut(...names: Operation[]): (ops: Ops) => void {
  return (ops) => {
    for (const name of names)
      Object.defineProperty(ops, name, { value: undefined, configurable: true, writable: true });
  };
}

/** Operations that a context has, or has not. */
function operations(...names: Operation[]): Behaviour {
  return {
    deny: leftOut(...names),
    parts: names.map((name) => ({ what: `there is no ${name}`, deny: leftOut(name) })),
  };
}

function without(...types: number[]): (ops: Ops) => void {
  return (ops) => {
    refuseIf(ops, 'createQp', ({ qpType }) => types.includes(qpType));
  };
}

/** Any QP is one of RC. */
function asRc(ops: Ops): void {
  wrap(ops, 'createQp', (createQp) => (request) => createQp({ ...request, qpType: QpType.RC }));
}

/** Opcodes that QPs take, or do not take. */
function opcodes(...codes: number[]): Behaviour {
  const bits = codes.reduce((mask, opcode) => mask | (1 << opcode), 0);
  const change =
    (of: (mask: number) => number) =>
    (ops: Ops): void => {
      wrap(ops, 'createQp', (createQp) => (request) => {
        const made = createQp(request);
        if (made.dataPath.kind !== 'rings') throw new TypeError('the emulated provider has rings');
        return { ...made, dataPath: { ...made.dataPath, sendOpcodes: of(made.dataPath.sendOpcodes) } };
      });
    };
  const each = codes.map((code) => ({
    what: `opcode ${wrOpcodeStr(code)} is not there`,
    deny: change((mask) => mask & ~(1 << code)),
  }));
  return {
    deny: change((mask) => mask & ~bits),
    lend: change((mask) => mask | bits),
    parts: codes.length > 1 ? each : [],
  };
}

/** Registrations that ask for some access. Where it is lent nothing comes of it. */
function withoutAccess(flags: number): Behaviour {
  return {
    deny: (ops) => {
      refuseIf(ops, 'regMr', ({ access }) => (access & flags) !== 0);
    },
    lend: (ops) => {
      wrap(ops, 'regMr', (regMr) => (request) => regMr({ ...request, access: request.access & ~flags }));
    },
    askedByVerbs: true,
  };
}

function withoutEvents(isLost: (type: number) => boolean): (ops: Ops) => void {
  return (ops) => {
    const { events } = ops;
    ops.events = {
      next: (event) => {
        while (events.next(event)) if (!isLost(event.type)) return true;
        return false;
      },
      setInterruptHandler: (handler) => {
        events.setInterruptHandler(handler);
      },
      hold: () => {
        events.hold();
      },
      release: () => {
        events.release();
      },
    } satisfies EventSource;
  };
}

/** Takes the reason out of every completion. The device is inline: it runs within the calls of its doorbell. */
function withoutReasons(ops: Ops): void {
  const cqs: CqRings[] = [];
  const erase = (): void => {
    for (const { i32, cqAddr, log2Count } of cqs) {
      for (let n = 0; n < 2 ** log2Count; n++) i32[(cqAddr >>> 2) + n * CQE_WORDS + CqeWords.VENDOR_ERR] = 0;
    }
  };
  const erasing = (doorbell: Doorbell): Doorbell => ({
    ringSq: (qpNum) => {
      doorbell.ringSq(qpNum);
      erase();
    },
    ringRq: (qpNum) => {
      doorbell.ringRq(qpNum);
      erase();
    },
    inlineSource: (addr, length) => doorbell.inlineSource(addr, length),
    idle: () => {
      doorbell.idle();
      erase();
    },
  });
  wrap(ops, 'createCq', (createCq) => (attr) => {
    const made = createCq(attr);
    if (made.dataPath.kind !== 'rings') throw new TypeError('the emulated provider has rings');
    cqs.push(made.dataPath);
    return { ...made, dataPath: { ...made.dataPath, doorbell: erasing(made.dataPath.doorbell) } };
  });
  wrap(ops, 'createQp', (createQp) => (request) => {
    const made = createQp(request);
    if (made.dataPath.kind !== 'rings') throw new TypeError('the emulated provider has rings');
    return { ...made, dataPath: { ...made.dataPath, doorbell: erasing(made.dataPath.doorbell) } };
  });
}

/** Registers a buffer of the provider's in the place of memory that it can't reach. */
function ofOtherMemory(ops: Ops): void {
  wrap(ops, 'regMr', (regMr) => (request) => {
    const { handle, bytes } = ops.allocBuf!(request.length, 4096);
    return regMr({ ...request, buffer: handle, offset: 0, view: bytes });
  });
}
