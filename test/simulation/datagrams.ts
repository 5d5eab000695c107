/** The UD queue pairs of a program while it runs. */
import { QpState, QpType, RecvWr, SendFlags, SendWr, WrOpcode } from 'openverbs';
import type { AddressHandle, QueuePair } from 'openverbs';
import { postExtended } from './extended-form.ts';
import { operates } from './operations.ts';
import type { Place, Placed, Placement } from './placement.ts';
import { socketRegion } from './placement.ts';
import type { Datagram, Program, SocketPlan } from './program.ts';
import type { Completion } from './record.ts';
import { Deviation } from './record.ts';
import { sgesOf } from './work-request.ts';
import type { Device, Region, World } from './world.ts';

/** Work request IDs: sends, and receives of each queue pair, count on from here. */
export const DATAGRAM_ID = 2 ** 46;
const RECEIVE_ID = 2 ** 47;
const RECEIVES_MAX = 2 ** 20;
const MULTICAST_QPN = 0xffffff;
/** A number that no queue pair has. */
const NOBODY_QPN = 0xfffff0;

/** A send. */
export interface DatagramRecord {
  readonly step: number;
  readonly datagram: Datagram;
  readonly placed: Placed;
  readonly signaled: boolean;
  /** The Q_Key that it names. */
  readonly qkey: number;
  /** How often the send queue had been healed when it was posted. */
  readonly life: number;
  /** Queue pairs that it is for, which had a receive for it for sure. */
  readonly awaitedBy: readonly Socket[];
  completion: Completion | null;
}

/** A receive. */
export interface DatagramReceive {
  readonly places: readonly Place[];
  readonly bytes: number;
  completion: Completion | null;
}

/** A UD queue pair. */
export interface Socket {
  readonly index: number;
  readonly plan: SocketPlan;
  readonly device: Device;
  readonly region: Region;
  readonly regionIndex: number;
  readonly qp: QueuePair;
  readonly gid: string;
  readonly sends: DatagramRecord[];
  readonly receives: DatagramReceive[];
  /** Datagrams that were sent to it, those that it can't take among them. */
  addressed: number;
  life: number;
}

/** Address of a multicast group. */
export function groupGid(group: number): string {
  return `ff12:401b:ffff::${group + 1}`;
}

export class Datagrams {
  readonly sockets: readonly Socket[];
  readonly #world: World;
  readonly #placement: Placement;
  readonly #ahs = new Map<string, AddressHandle>();

  constructor(program: Program, placement: Placement, world: World) {
    this.#world = world;
    this.#placement = placement;
    this.sockets = (program.sockets ?? []).map((plan, index) => {
      const region = socketRegion(program, index);
      return this.#open(plan, index, region);
    });
  }

  /** Whether everything that was sent is complete. */
  get isIdle(): boolean {
    return this.sockets.every(({ sends }) => sends.at(-1)?.completion !== null);
  }

  /** Whether every receive is complete. */
  get isOver(): boolean {
    return this.sockets.every(({ receives }) => receives.every(({ completion }) => completion !== null));
  }

  hasRoom(socket: number): boolean {
    const { sends, plan } = this.sockets[socket];
    const freed = sends.findLastIndex(({ completion }) => completion !== null) + 1;
    return sends.length - freed < plan.maxSendWr;
  }

  /** Sends one. */
  post(datagram: Datagram, step: number, signaled: boolean): void {
    const socket = this.sockets[datagram.socket];
    this.#heal(socket);
    const qkey = this.#qkeyOf(datagram);
    const placed = this.#placement.of.get(step)!;
    const record: DatagramRecord = {
      step,
      datagram,
      placed,
      signaled: signaled || socket.plan.sqSigAll,
      qkey,
      life: socket.life,
      awaitedBy: this.#address(datagram, qkey),
      completion: null,
    };
    socket.sends.push(record);
    this.#world.traffic.count(`UD ${operates(datagram.opcode).name}`);
    const wr = this.#request(socket, record, signaled);
    if (datagram.extended === true) postExtended(socket.qp, [wr]);
    else socket.qp.postSend(wr);
  }

  /** Posts receives while there is room; true when there was. */
  postReceives(): boolean {
    let posted = false;
    for (const { qp, receives, plan, index, region } of this.sockets) {
      const places = this.#placement.sockets[index];
      const open = (): number => receives.filter(({ completion }) => completion === null).length;
      while (qp.state !== QpState.ERR && receives.length < places.length && open() < plan.maxRecvWr) {
        const n = receives.length;
        receives.push({ places: places[n], bytes: plan.receives[n], completion: null });
        const wrId = RECEIVE_ID + index * RECEIVES_MAX + n;
        qp.postRecv(new RecvWr({ wrId, sgList: sgesOf(region, places[n], region.mr.lkey) }));
        posted = true;
      }
    }
    return posted;
  }

  /** Takes a completion. Whether its sender asked for a solicited event nobody can tell here. */
  complete(completion: Completion): boolean {
    const { wrId } = completion;
    const number = wrId - RECEIVE_ID;
    const record =
      number >= 0
        ? this.sockets.at(Math.floor(number / RECEIVES_MAX))?.receives[number % RECEIVES_MAX]
        : this.sockets.flatMap(({ sends }) => sends).find(({ step }) => step === wrId - DATAGRAM_ID);
    if (record === undefined) throw new Deviation('unknown', `a completion with the wrId ${wrId}, which nobody posted`);
    if (record.completion !== null) throw new Deviation('twice', `a second completion with the wrId ${wrId}`);
    record.completion = completion;
    return false;
  }

  /** Ends all: what is left of the receives is flushed. */
  end(): void {
    for (const { qp } of this.sockets) qp.modify({ qpState: QpState.ERR });
  }

  close(): void {
    for (const { qp, plan } of this.sockets) {
      for (const group of plan.groups) qp.detachMcast(groupGid(group));
      qp.destroy();
    }
    for (const ah of this.#ahs.values()) ah.destroy();
  }

  #open(plan: SocketPlan, index: number, regionIndex: number): Socket {
    const device = this.#world.devices[plan.device];
    const { maxSendWr, maxRecvWr, maxSge, maxInlineData, sqSigAll, qkey, psn } = plan;
    const qp = device.pd.createQp({
      qpType: QpType.UD,
      sendCq: this.#world.queues[plan.sendCq].cq,
      recvCq: this.#world.queues[plan.recvCq].cq,
      sqSigAll,
      cap: { maxSendWr, maxRecvWr, maxSendSge: maxSge, maxRecvSge: Math.max(2, maxSge), maxInlineData },
    });
    qp.toInit({ qkey });
    qp.modify({ qpState: QpState.RTR });
    qp.modify({ qpState: QpState.RTS, sqPsn: psn });
    for (const group of plan.groups) qp.attachMcast(groupGid(group));
    const region = this.#world.regions[regionIndex];
    const { gid } = qp.endpoint();
    return { index, plan, device, region, regionIndex, qp, gid, sends: [], receives: [], addressed: 0, life: 0 };
  }

  /** A send queue that an error has stopped goes on once everything is flushed (IBTA 10.3.1.6). */
  #heal(socket: Socket): void {
    if (socket.qp.state !== QpState.SQE || socket.sends.at(-1)?.completion === null) return;
    socket.qp.modify({ qpState: QpState.RTS });
    socket.life++;
  }

  #qkeyOf({ to, mistake }: Datagram): number {
    if ('group' in to) return to.qkey;
    const { qkey } = this.sockets[to.socket].plan;
    return mistake === 'qkey' ? qkey ^ 1 : qkey;
  }

  /** Counts it with those that it is for. Answers those who have a receive for it, whatever comes first. */
  #address({ to, mistake }: Datagram, qkey: number): Socket[] {
    const targets = this.sockets.filter(({ index, plan }) =>
      'group' in to ? plan.groups.includes(to.group) && plan.qkey === qkey : index === to.socket,
    );
    const awaiting = targets.filter(({ addressed, receives }) => receives.length > addressed);
    for (const target of targets) target.addressed++;
    return mistake === null ? awaiting : [];
  }

  #request(socket: Socket, { step, datagram, placed, qkey }: DatagramRecord, signaled: boolean): SendWr {
    const { device, region } = socket;
    const { opcode, imm, inline, solicited, to, mistake } = datagram;
    const lkey = mistake === 'lkey' ? device.staleKey : region.mr.lkey;
    const qpNum = 'group' in to ? MULTICAST_QPN : this.sockets[to.socket].qp.qpNum;
    return new SendWr({
      wrId: DATAGRAM_ID + step,
      opcode,
      immData: opcode === WrOpcode.SEND_WITH_IMM ? imm : 0,
      sendFlags:
        (signaled ? SendFlags.SIGNALED : 0) | (inline ? SendFlags.INLINE : 0) | (solicited ? SendFlags.SOLICITED : 0),
      sgList: sgesOf(region, placed.local, lkey),
      ah: this.#ah(socket, 'group' in to ? groupGid(to.group) : this.sockets[to.socket].gid),
      remoteQpn: mistake === 'qpn' ? NOBODY_QPN : qpNum,
      remoteQkey: qkey,
    });
  }

  #ah({ device, qp }: Socket, dgid: string): AddressHandle {
    const key = `${device.name} ${dgid}`;
    const ah = this.#ahs.get(key) ?? device.pd.createAh({ grh: { dgid, sgidIndex: qp.endpoint().gidIndex } });
    this.#ahs.set(key, ah);
    return ah;
  }
}
