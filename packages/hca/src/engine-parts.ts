/** What an engine is made of: its header in machine memory, which all threads share, and the parts of each thread's own. */
import type { Machine } from '@openverbs/machine';
import { FaultInjector, FrameQueue } from '@openverbs/netdev';
import { AddressHandles } from './address-handles.ts';
import { DatagramResponder } from './datagram-responder.ts';
import { DmaEngine } from './dma-engine.ts';
import type { Engine, Placement } from './engine.ts';
import { allocWords, type Hca } from './hca.ts';
import { EngineHeader, UarControl } from './layout.ts';
import { TIMERS_MAX, UARS_MAX } from './limits.ts';
import { LocalOperations } from './local-operations.ts';
import { MemoryWindows } from './memory-windows.ts';
import type { PacketTransportParts } from './packets/packet-transport.ts';
import type { Requester } from './requester.ts';
import { Responder } from './responder.ts';
import { SendWqeFetcher } from './send-wqe-fetcher.ts';
import { Tpt } from './tpt.ts';
import { UnreliableRequester } from './unreliable-requester.ts';
import { UnreliableResponder } from './unreliable-responder.ts';
import { WorkQueueReader } from './work-queue-reader.ts';

/** Root word of machine memory by which threads find the engine. */
export const ROOT_ENGINE = 0;

/** What the requester and the packet transport are made of. */
export type EngineParts = ConstructorParameters<typeof Requester>[0] &
  Omit<PacketTransportParts, 'faults'> & { readonly faults: FaultInjector | null };

/** Word index of the header of the engine of a machine: the one that is there, or a new one. The lock must be held. */
export function findOrMakeEngine(machine: Machine, placement: Placement, packets: boolean): number {
  const found = machine.root(ROOT_ENGINE);
  if (found !== 0) return found >>> 2;
  const { i32, f64 } = machine;
  const header = allocWords(machine, EngineHeader.WORDS);
  i32[header + EngineHeader.PLACEMENT_THREAD] = placement === 'thread' ? 1 : 0;
  i32[header + EngineHeader.PACKETS] = packets ? 1 : 0;
  i32[header + EngineHeader.TAKEOVERS] = machine.lock.takeovers | 0;
  i32[header + EngineHeader.TIMER_QUEUE] = allocWords(machine, TIMERS_MAX);
  i32[header + EngineHeader.UAR_TABLE] = allocWords(machine, UARS_MAX * UarControl.WORDS);
  f64[(header + EngineHeader.DEADLINE) >>> 1] = f64[(header + EngineHeader.LINK_DEADLINE) >>> 1] = Infinity;
  machine.setRoot(ROOT_ENGINE, header * 4);
  return header;
}

/** Makes the parts that execute messages, for the thread whose engine this is. */
export function makeParts(from: Engine): EngineParts {
  const { machine, events, completer, states, timers, receives, migration } = from;
  const tpt = new Tpt(machine);
  const dma = new DmaEngine(machine);
  const reader = new WorkQueueReader(machine, tpt);
  const windows = new MemoryWindows(machine, tpt, completer);
  const memory = { machine, tpt, dma, completer };
  const responder = new Responder({ ...memory, reader, events, queue: receives, windows, migration });
  const { nowNs, counters, header: engine } = from;
  const wqe = new SendWqeFetcher(machine, reader);
  const connections = new UnreliableResponder(machine, responder, completer, events);
  const handles = new AddressHandles(machine);
  const datagrams = new DatagramResponder({ machine, engine, responder, completer, states, handles });
  const local = new LocalOperations(wqe, windows, completer);
  const senders = { connections, datagrams, handles, local };
  const unreliable = new UnreliableRequester({ machine, wqe, ...senders, completer, states });
  const packets = machine.i32[engine + EngineHeader.PACKETS] !== 0;
  const faults = packets ? new FaultInjector(machine, new FrameQueue(machine)) : null;
  const hcas = (): readonly Hca[] => from.hcas;
  return {
    machine,
    engine,
    dma,
    wqe,
    responder,
    unreliable,
    local,
    completer,
    states,
    events,
    timers,
    counters,
    nowNs,
    faults,
    hcas,
    migration,
  };
}
