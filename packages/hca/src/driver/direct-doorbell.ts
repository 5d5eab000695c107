/** The doorbells of a context: what the ring data path calls. Hot: nothing here allocates. */
import type { Doorbell } from '@openverbs/verbs/driver';
import type { Engine } from '../engine.ts';
import type { BufferTable } from './buffer-table.ts';

export class DirectDoorbell implements Doorbell {
  private readonly engine: Engine;
  private readonly uar: number;
  private readonly qpTable: number;
  private readonly buffers: BufferTable;

  constructor(engine: Engine, uar: number, qpTable: number, buffers: BufferTable) {
    this.engine = engine;
    this.uar = uar;
    this.qpTable = qpTable;
    this.buffers = buffers;
  }

  ringSq(qpNum: number): void {
    this.engine.ringSq(this.uar, this.qpTable, qpNum);
  }

  ringRq(qpNum: number): void {
    this.engine.ringRq(this.uar, qpNum);
  }

  inlineSource(addr: number, length: number): number {
    return this.buffers.machineAddress(addr, length);
  }

  idle(): void {
    this.engine.idle();
  }
}
