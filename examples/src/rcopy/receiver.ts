/** Saves what the sender writes into its window. */
import type { FileHandle } from 'node:fs/promises';
import { AccessFlags, type Device, WcOpcode, WrOpcode } from 'openverbs';
import { CHUNK_BYTES, Side } from './side.ts';

/** The receiving side. Its window is open to the sender's writes. */
export class Receiver extends Side {
  constructor(device: Device) {
    super(device, AccessFlags.REMOTE_WRITE);
  }

  /** Saves `size` bytes in `file`. */
  async receive(file: FileHandle, size: number, signal: AbortSignal): Promise<void> {
    let missing = size;
    if (missing === 0) return;
    for await (const wc of this.completions(signal)) {
      if (wc.opcode !== WcOpcode.RECV_RDMA_WITH_IMM) continue;
      const chunk = wc.immData;
      const length = wc.byteLen;
      this.qp.postRecv({ wrId: wc.wrId });
      await writeFully(file, this.bounce(chunk, length), chunk * CHUNK_BYTES);
      // Tells the sender that this bounce buffer is free again.
      this.qp.postSend({ wrId: chunk, opcode: WrOpcode.SEND_WITH_IMM, immData: chunk });
      missing -= length;
      if (missing === 0) return;
    }
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
