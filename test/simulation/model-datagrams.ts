/**
 * The model of datagrams (IBTA volume 1, 9.8.4, 10.2.5, 10.3.1.6; annex A17 for the header in front): each arrives whole or not at
 * all, at most once with each that it is for unless the network doubles packets, and in order unless it reorders them; on a good
 * network it arrives where a receive waits for it. What is not for a queue pair leaves no trace there.
 */
import { Gid, WcFlags, WcOpcode, WcStatus, wcStatusStr } from 'openverbs';
import type { DatagramReceive, DatagramRecord, Socket } from './datagrams.ts';
import { groupGid } from './datagrams.ts';
import type { MemoryModel } from './model-memory.ts';
import { operates } from './operations.ts';
import { GRH_BYTES, lengthOf } from './program.ts';
import type { DatagramMistake, Weather } from './program.ts';
import type { Completion } from './record.ts';
import { Deviation } from './record.ts';
import type { World } from './world.ts';

const { SUCCESS, WR_FLUSH_ERR, LOC_PROT_ERR, LOC_LEN_ERR } = WcStatus;
/** What a mistake does to its send; the others succeed, and are for nobody. */
const ERRORS: Readonly<Partial<Record<DatagramMistake, number>>> = { lkey: LOC_PROT_ERR, long: LOC_LEN_ERR };

/** A datagram that was received. */
interface Received {
  readonly send: DatagramRecord;
  readonly from: Socket;
}

/** Checks all, and takes their memory in. */
export function settleDatagrams(
  world: World,
  sockets: readonly Socket[],
  memory: MemoryModel,
  weather: Weather,
  isLossy: boolean,
): void {
  const { contents } = world;
  for (const socket of sockets) checkSends(socket);
  const received = new Map<Socket, readonly Received[]>();
  for (const socket of sockets) {
    received.set(socket, checkReceives(socket, sockets, memory, contents, weather));
    for (const receive of socket.receives) settleReceive(receive, memory, contents);
  }
  if (!isLossy) checkArrived(sockets, received);
  checkViolations(world, sockets, isLossy, weather);
}

/** In each life of a send queue: successes, perhaps an error of a mistake, then flushes. */
function checkSends(socket: Socket): void {
  let life = 0;
  let failed = false;
  for (const send of socket.sends) {
    const { completion, datagram } = send;
    if (send.life !== life) [life, failed] = [send.life, false];
    const expected = (datagram.mistake === null ? undefined : ERRORS[datagram.mistake]) ?? SUCCESS;
    if (completion === null) {
      if (failed || send.signaled || expected !== SUCCESS)
        throw deviation(socket, 'missing', 'no completion for', send);
      continue;
    }
    const { status, qpNum, opcode } = completion;
    if (qpNum !== socket.qp.qpNum) throw deviation(socket, 'qpNum', `qpNum ${qpNum} of`, send);
    if (status !== (failed ? WR_FLUSH_ERR : expected)) {
      throw deviation(socket, 'status', `'${wcStatusStr(status)}' of`, send);
    }
    if (status === SUCCESS && !send.signaled) throw deviation(socket, 'unsignaled', 'a completion for', send);
    if (status === SUCCESS && opcode !== WcOpcode.SEND) throw deviation(socket, 'opcode', `opcode ${opcode} of`, send);
    failed ||= status !== SUCCESS;
  }
}

/** Each completed receive holds a datagram that is for the queue pair. Answers which. */
function checkReceives(
  socket: Socket,
  sockets: readonly Socket[],
  memory: MemoryModel,
  found: readonly Uint8Array[],
  weather: Weather,
): Received[] {
  const mayRepeat = weather.duplicate > 0;
  const mayOvertake = mayRepeat || weather.reorder > 0;
  const received: Received[] = [];
  const last = new Map<Socket, number>();
  let flushed = false;
  socket.receives.forEach((receive, index) => {
    const completion = receive.completion!;
    if (completion.status === WR_FLUSH_ERR) flushed = true;
    else if (completion.status !== SUCCESS || flushed) {
      throw new Deviation('recv-status', `status ${completion.status} of receive ${index} of ${nameOf(socket)}`);
    } else {
      const from = sockets.find((other) => isFrom(other, receive, completion, memory, found));
      const send = from?.sends.find((candidate) => {
        if (!mayRepeat && received.some((before) => before.send === candidate)) return false;
        if (!mayOvertake && candidate.step < (last.get(from) ?? -1)) return false;
        return isFor(candidate, socket) && isIn(candidate, receive, completion, memory, found, sockets);
      });
      if (from === undefined || send === undefined) {
        throw new Deviation('recv-extra', `receive ${index} of ${nameOf(socket)} holds no datagram that may come`);
      }
      last.set(from, send.step);
      received.push({ send, from });
    }
  });
  return received;
}

/** Whether the completion and the header in front name a queue pair as the sender. */
function isFrom(
  { qp, gid }: Socket,
  receive: DatagramReceive,
  { srcQp }: Completion,
  memory: MemoryModel,
  found: readonly Uint8Array[],
): boolean {
  return srcQp === qp.qpNum && gidIn(memory.gather(receive.places, found), 'source') === gid;
}

/** Whether a datagram may reach a queue pair. */
function isFor({ datagram: { to, mistake }, qkey, completion }: DatagramRecord, { index, plan }: Socket): boolean {
  if (mistake !== null || qkey !== plan.qkey) return false;
  if (completion !== null && completion.status !== SUCCESS) return false;
  return 'group' in to ? plan.groups.includes(to.group) : to.socket === index;
}

/** Whether it is what a completed receive holds. */
function isIn(
  { datagram, placed }: DatagramRecord,
  receive: DatagramReceive,
  completion: Completion,
  memory: MemoryModel,
  found: readonly Uint8Array[],
  sockets: readonly Socket[],
): boolean {
  const { opcode, imm, pieces, to } = datagram;
  const { hasImm } = operates(opcode);
  const { byteLen, wcFlags, immData } = completion;
  if (completion.opcode !== WcOpcode.RECV || byteLen !== GRH_BYTES + lengthOf(pieces)) return false;
  if (wcFlags !== (WcFlags.GRH | (hasImm ? WcFlags.WITH_IMM : 0)) || (hasImm && immData !== imm)) return false;
  const bytes = memory.gather(receive.places, found);
  const gid = 'group' in to ? Gid.parse(groupGid(to.group)).toString() : sockets[to.socket].gid;
  if (gidIn(bytes, 'destination') !== gid) return false;
  return Buffer.compare(bytes.subarray(GRH_BYTES, byteLen), memory.gather(placed.local)) === 0;
}

/** An address of the IP header in the 40 bytes: of IPv6, or of IPv4 in the last 20. */
function gidIn(bytes: Uint8Array, which: 'source' | 'destination'): string {
  if (bytes[0] >>> 4 === 6) return new Gid(bytes.slice(which === 'source' ? 8 : 24).slice(0, 16)).toString();
  const at = which === 'source' ? 32 : 36;
  return Gid.parse(bytes.subarray(at, at + 4).join('.')).toString();
}

/** The bytes of a message, and the header; nothing behind them, and nothing where none came. */
function settleReceive(
  { places, completion }: DatagramReceive,
  memory: MemoryModel,
  found: readonly Uint8Array[],
): void {
  let left = completion?.status === SUCCESS ? completion.byteLen : 0;
  for (const { region, offset, length } of places) {
    const run = Math.min(left, length);
    memory.apply({ region, offset, bytes: found[region].slice(offset, offset + run) });
    left -= run;
  }
}

/** Nothing is lost on a good network, but what does not fit the receives that it may find. */
function checkArrived(sockets: readonly Socket[], received: ReadonlyMap<Socket, readonly Received[]>): void {
  for (const from of sockets) {
    for (const send of from.sends) {
      if (send.completion !== null && send.completion.status !== SUCCESS) continue;
      const bytes = GRH_BYTES + lengthOf(send.datagram.pieces);
      for (const socket of send.awaitedBy) {
        const fits = socket.receives.every((receive) => receive.bytes >= bytes);
        if (!fits || received.get(socket)!.some((other) => other.send === send)) continue;
        throw deviation(from, 'lost', `${nameOf(socket)} did not get`, send);
      }
    }
  }
}

/** Datagrams with another Q_Key are counted at the port that they come to. */
function checkViolations(world: World, sockets: readonly Socket[], isLossy: boolean, { duplicate }: Weather): void {
  world.devices.forEach(({ context, name }, device) => {
    let expected = 0;
    for (const { datagram, qkey, completion } of sockets.flatMap(({ sends }) => sends)) {
      const { to, mistake } = datagram;
      if ((completion !== null && completion.status !== SUCCESS) || mistake === 'qpn') continue;
      expected += sockets.filter(({ plan, index }) => {
        const isAddressed = 'group' in to ? plan.groups.includes(to.group) : to.socket === index;
        return isAddressed && plan.device === device && plan.qkey !== qkey;
      }).length;
    }
    const found = context.queryPort(1).qkeyViolCntr;
    if (found === expected || (isLossy && (found < expected || duplicate > 0))) return;
    throw new Deviation('qkey', `${name} counted ${found} Q_Key violations, not ${expected}`);
  });
}

function nameOf({ index }: Socket): string {
  return `UD queue pair ${index}`;
}

function deviation(socket: Socket, kind: string, what: string, { datagram, step }: DatagramRecord): Deviation {
  const { opcode, pieces, mistake } = datagram;
  const flaw = mistake === null ? '' : ` with the mistake '${mistake}'`;
  const name = `${operates(opcode).name} of ${lengthOf(pieces)} bytes (step ${step})${flaw}`;
  return new Deviation(`ud-${kind}`, `${nameOf(socket)}: ${what} ${name}`);
}
