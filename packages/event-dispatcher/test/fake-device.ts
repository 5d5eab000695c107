/** A device with completion queues that a test completes by hand, and events that it raises by hand. */
import { Device } from '@openverbs/verbs';
import type { CompletionQueue, Context, DeviceAttr, PortAttr, WorkCompletion } from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import type { ContextOps, CqCalls, CqOps, EventDispatcherOps } from '@openverbs/verbs/driver';

import { FakeSource } from './fake-source.ts';

/** An open context of the fake device, and what it is driven by. */
export interface Fake {
  readonly context: Context;
  readonly source: FakeSource;
  /** Completes a work request: its completion can be polled, and an armed queue raises its event. */
  complete(cq: CompletionQueue, ...wrIds: number[]): void;
  /** Calls `action` once, at the last moment before the queue is armed. */
  beforeArming(cq: CompletionQueue, action: () => void): void;
}

/** Opens a fake device. */
export function openFake(dispatcher: EventDispatcherOps): Fake {
  const source = new FakeSource();
  const cqs = new Map<number, FakeCq>();
  const ops: ContextOps = {
    events: source,
    close() {},
    queryDevice: () => ({ physPortCnt: 2, maxCqe: 1024 }) as DeviceAttr,
    queryPort: () => ({}) as PortAttr,
    createCq({ cqe }): CqOps {
      const handle = cqs.size + 1;
      const dataPath = new FakeCq();
      cqs.set(handle, dataPath);
      return { handle, cqe, dataPath };
    },
    destroyCq() {},
  };
  const device = new Device(
    {
      name: 'fake0',
      guid: 1n,
      nodeType: 1,
      transportType: 0,
      capabilities: { version: 1, supports: { completionEvents: true, asyncEvents: true } },
      open: () => ops,
    },
    'fake',
    dispatcher,
  );
  return {
    context: device.open(),
    source,
    complete(cq, ...wrIds) {
      const fake = cqs.get(cq.handle)!;
      fake.wrIds.push(...wrIds);
      if (!fake.armed) return;
      fake.armed = false;
      source.interrupt({ type: COMPLETION_EVENT, id: cq.handle });
    },
    beforeArming(cq, action) {
      cqs.get(cq.handle)!.beforeArming = action;
    },
  };
}

class FakeCq implements CqCalls {
  readonly kind = 'calls';
  readonly wrIds: number[] = [];
  armed = false;
  beforeArming: (() => void) | undefined;

  poll(wcs: WorkCompletion[], limit: number): number {
    const polled = this.wrIds.splice(0, limit);
    polled.forEach((wrId, index) => (wcs[index].wrId = wrId));
    return polled.length;
  }

  reqNotify(): void {
    const action = this.beforeArming;
    this.beforeArming = undefined;
    action?.();
    this.armed = true;
  }
}
