/** Reads a file and writes it, chunk by chunk, into the window of the receiver. */
import type { FileHandle } from 'node:fs/promises';
import { type Device, WcOpcode, WrOpcode } from 'openverbs';
import { CHUNK_BYTES, Side, WINDOW, bounceOffset } from './side.ts';
import { type Task, runTogether } from './together.ts';

/** Where the receiver's window is. */
export interface RemoteWindow {
  readonly addr: number;
  readonly rkey: number;
}

/**
 * The sending side. Chunk n goes through bounce buffer n modulo {@link WINDOW}, so each buffer is a lane of its own: read
 * the chunk, write it to the other side, wait until that has saved it.
 */
export class Sender extends Side {
  readonly #saved = new Map<number, PromiseWithResolvers>();

  constructor(device: Device) {
    super(device, 0);
  }

  /** Sends `size` bytes of `file`; `onProgress` gets the number of bytes that were saved on the other side. */
  async send(
    file: FileHandle,
    size: number,
    remote: RemoteWindow,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    const chunks = Math.ceil(size / CHUNK_BYTES);
    let bytesSaved = 0;
    const lane =
      (first: number): Task =>
      async (stop) => {
        for (let chunk = first; chunk < chunks; chunk += WINDOW) {
          const length = Math.min(CHUNK_BYTES, size - chunk * CHUNK_BYTES);
          await readFully(file, this.bounce(chunk, length), chunk * CHUNK_BYTES);
          stop.throwIfAborted(); // nobody would tell that the chunk is saved
          await this.#write(chunk, length, remote);
          onProgress((bytesSaved += length));
        }
      };
    const lanes = Array.from({ length: WINDOW }, (_, first) => lane(first));
    await runTogether(signal, [(stop) => this.#collectReplies(chunks, stop), ...lanes]);
  }

  /** Resolves when the receiver has saved the chunk. */
  #write(chunk: number, length: number, { addr, rkey }: RemoteWindow): Promise<void> {
    const saved = withResolvers();
    this.#saved.set(chunk, saved);
    this.qp.postSend({
      wrId: chunk,
      opcode: WrOpcode.RDMA_WRITE_WITH_IMM,
      immData: chunk,
      sgList: [this.window.sge(bounceOffset(chunk), length)],
      remoteAddr: addr + bounceOffset(chunk),
      rkey,
    });
    return saved.promise;
  }

  /** The immediate data of a reply is the number of a chunk that the receiver has saved. */
  async #collectReplies(chunks: number, signal: AbortSignal): Promise<void> {
    let missing = chunks;
    if (missing === 0) return;
    try {
      for await (const wc of this.completions(signal)) {
        if (wc.opcode !== WcOpcode.RECV) continue;
        this.qp.postRecv({ wrId: wc.wrId });
        this.#saved.get(wc.immData)?.resolve();
        this.#saved.delete(wc.immData);
        if (--missing === 0) return;
      }
    } catch (error) {
      for (const { reject } of this.#saved.values()) reject(error);
      throw error;
    }
  }
}

async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new Error('the source became shorter while it was copied');
    done += bytesRead;
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
