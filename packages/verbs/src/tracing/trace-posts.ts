/** Tells of posts, for queues that are made while somebody listens; others have no part in it, and pay nothing. */
import type { SendPath } from '../data-path.ts';
import { SendFlags, WrOpcode } from '../enums/wr.ts';
import { VerbsError } from '../errors.ts';
import type { RecvWr, RecvWrInit } from '../recv-wr.ts';
import type { SendWr } from '../send-wr.ts';
import type { SgeLike } from '../sge.ts';
import { StagedData, type StagedSend } from '../staged-send.ts';
import { wordsToBigInt, wordsToNumber } from '../words.ts';
import { postChannel, type PostedWr, type PostMessage, traceNowNs } from './channels.ts';

/** Work requests of a chain that are told of; a chain may be a circle. */
const CHAIN_MAX = 256;

/** What a queue is told as. */
interface Queue {
  readonly label: string;
  readonly context: { readonly device: { readonly name: string } };
}

type RecvPost = RecvWr | RecvWrInit | readonly (RecvWr | RecvWrInit)[];

/** `path`, or while somebody listens, one that tells of its posts. */
export function traceSends(path: SendPath, queue: () => Queue): SendPath {
  return postChannel.hasSubscribers ? new TracedSendPath(path, queue) : path;
}

/** Has the object tell of the receives that are posted to it, if somebody listens. */
export function traceRecvs(queue: Queue & { postRecv(wr: RecvPost): void }): void {
  if (!postChannel.hasSubscribers) return;
  const postRecv = queue.postRecv.bind(queue);
  queue.postRecv = (wr) => {
    const workRequests = chainOf(wr).map(postedRecv);
    let errno = 0;
    const atNs = traceNowNs();
    try {
      postRecv(wr);
    } catch (error) {
      errno = VerbsError.is(error) ? error.errno : -1;
      throw error;
    } finally {
      publish(queue, 'recv', workRequests, errno, atNs);
    }
  };
}

class TracedSendPath implements SendPath {
  readonly #path: SendPath;
  readonly #queue: () => Queue;
  #list: PostedWr[] = [];
  /** Bytes of the list that the path holds for the work request in the making. */
  #bytes = 0;

  constructor(path: SendPath, queue: () => Queue) {
    this.#path = path;
    this.#queue = queue;
  }

  get badWrIndex(): number {
    return this.#path.badWrIndex;
  }

  get badWr(): SendWr | null {
    return this.#path.badWr;
  }

  post(wr: SendWr): number {
    const workRequests = chainOf(wr).map(postedSend);
    const atNs = traceNowNs();
    const errno = this.#path.post(wr);
    publish(this.#queue(), 'send', workRequests, errno, atNs);
    return errno;
  }

  setReady(ready: boolean): void {
    this.#path.setReady(ready);
  }

  reset(): void {
    this.#path.reset();
  }

  append(staged: StagedSend): number {
    this.#note(staged);
    return this.#path.append(staged);
  }

  setSgeList(staged: StagedSend, sges: readonly SgeLike[]): number {
    const errno = this.#path.setSgeList(staged, sges);
    if (errno === 0) this.#bytes = bytesOf(sges);
    return errno;
  }

  setInlineData(staged: StagedSend, bytes: Uint8Array): number {
    return this.#path.setInlineData(staged, bytes);
  }

  complete(last: StagedSend): number {
    this.#note(last);
    const workRequests = this.#list;
    this.#list = [];
    const atNs = traceNowNs();
    const errno = this.#path.complete(last);
    publish(this.#queue(), 'send', workRequests, errno, atNs);
    return errno;
  }

  #note(staged: StagedSend): void {
    if (staged.index === 0) this.#list = []; // the list before this one was given up
    if (this.#list.length < CHAIN_MAX) this.#list.push(postedStaged(staged, this.#bytes));
  }
}

function publish(
  queue: Queue,
  kind: 'send' | 'recv',
  workRequests: readonly PostedWr[],
  errno: number,
  atNs: number,
): void {
  const device = queue.context.device.name;
  const durationNs = traceNowNs() - atNs;
  const message: PostMessage = { device, object: queue.label, queue: kind, workRequests, errno, atNs, durationNs };
  postChannel.publish(message);
}

function chainOf<T extends { readonly next?: T | null }>(wr: T | readonly T[]): T[] {
  if (Array.isArray(wr)) return wr.slice(0, CHAIN_MAX) as T[];
  const chain: T[] = [];
  for (let next: T | null = wr as T; next !== null && chain.length < CHAIN_MAX; next = next.next ?? null)
    chain.push(next);
  return chain;
}

function postedRecv({ wrId = 0, sgList = [] }: RecvWr | RecvWrInit): PostedWr {
  return { wrId, length: bytesOf(sgList), sgList: plainSges(sgList) };
}

function postedSend(wr: SendWr): PostedWr {
  const { wrId, opcode, sendFlags, sgList, inlineData } = wr;
  const local =
    inlineData === null ? { length: bytesOf(sgList), sgList: plainSges(sgList) } : { length: inlineData.length };
  return { wrId, opcode, sendFlags, ...local, ...remoteOf(opcode, wr) };
}

function postedStaged(staged: StagedSend, listBytes: number): PostedWr {
  const { wrId, opcode, data, count, addrHi, addrLo, length: sgeBytes, lkey } = staged;
  const inline = data === StagedData.INLINE;
  const sendFlags = inline ? staged.flags | SendFlags.INLINE : staged.flags;
  const one = { addr: wordsToNumber(addrLo, addrHi), length: sgeBytes >>> 0, lkey: lkey >>> 0 };
  let local: Pick<PostedWr, 'length' | 'sgList'> = { length: 0, sgList: [] };
  if (inline) local = { length: count };
  else if (data === StagedData.SGE) local = { length: one.length, sgList: [one] };
  else if (data === StagedData.SGE_LIST) local = { length: listBytes };
  return { wrId, opcode, sendFlags, ...local, ...remoteOf(opcode, staged) };
}

/** Operations that name memory of the peer. */
const REMOTE = new Set<number>([
  WrOpcode.RDMA_WRITE,
  WrOpcode.RDMA_WRITE_WITH_IMM,
  WrOpcode.RDMA_READ,
  WrOpcode.ATOMIC_CMP_AND_SWP,
  WrOpcode.ATOMIC_FETCH_AND_ADD,
]);

function remoteOf(
  opcode: number,
  wr: { readonly rkey: number; readonly remoteAddrLo: number; readonly remoteAddrHi: number },
): Pick<PostedWr, 'rkey' | 'remoteAddr'> {
  if (!REMOTE.has(opcode)) return {};
  return { rkey: wr.rkey >>> 0, remoteAddr: wordsToBigInt(wr.remoteAddrLo, wr.remoteAddrHi) };
}

function bytesOf(sges: readonly SgeLike[]): number {
  return sges.reduce((sum, { length }) => sum + length, 0);
}

function plainSges(sges: readonly SgeLike[]): NonNullable<PostedWr['sgList']> {
  return sges.map(({ addr, length, lkey }) => ({ addr, length, lkey }));
}
