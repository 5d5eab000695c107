/** Two connected queue pairs on the fake device. */
import { connectPair } from '../../src/connect-pair.ts';
import type { CompletionQueue } from '../../src/completion-queue.ts';
import type { DmaBuffer } from '../../src/dma-buffer.ts';
import { QpType } from '../../src/enums/qp.ts';
import type { MemoryRegion } from '../../src/memory-region.ts';
import type { ProtectionDomain } from '../../src/protection-domain.ts';
import type { QueuePair } from '../../src/queue-pair.ts';
import { WorkCompletion } from '../../src/work-completion.ts';
import type { FakeCq } from './fake-rings.ts';
import { type Fake, openFake } from './fake-provider.ts';

/** What most tests of the data path need. */
export interface Connected extends Fake {
  readonly pd: ProtectionDomain;
  readonly cq: CompletionQueue;
  readonly fakeCq: FakeCq;
  readonly a: QueuePair;
  readonly b: QueuePair;
  readonly buffer: DmaBuffer;
  readonly mr: MemoryRegion;
  readonly wcs: WorkCompletion[];
}

/** Makes them: both QPs on one CQ. */
export function openConnected(
  options: { cqe?: number; sqSigAll?: boolean; qpType?: QpType; depth?: number } = {},
): Connected {
  const { cqe = 64, sqSigAll = false, qpType = QpType.RC, depth = 5 } = options;
  const fake = openFake({ supports: qpType === QpType.XRC_SEND ? ['xrc'] : [] });
  const { context } = fake;
  const pd = context.allocPd();
  const cq = context.createCq({ cqe });
  const cap = { maxSendWr: depth, maxRecvWr: depth, maxSendSge: 3, maxRecvSge: 2, maxInlineData: 80 };
  const init = { sendCq: cq, recvCq: cq, cap, qpType, sqSigAll };
  const a = pd.createQp(init);
  const b = pd.createQp(init);
  connectPair(a, b);
  const buffer = context.allocBuf(4096);
  const mr = pd.regMr(buffer, 0xf);
  const wcs = WorkCompletion.array(16);
  return { ...fake, pd, cq, fakeCq: fake.ops.cqs.get(cq.handle)!, a, b, buffer, mr, wcs };
}
