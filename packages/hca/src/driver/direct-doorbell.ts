/** The doorbells of a context: what the ring data path calls. Hot: nothing here allocates. */
import type { Doorbell, UserHalfHost } from '@openverbs/verbs/driver';
import type { Engine } from '../engine.ts';

export class DirectDoorbell implements Doorbell {
  private readonly engine: Engine;
  private readonly uar: number;
  private readonly page: number;
  private readonly qpTable: number;
  private readonly memory: Pick<UserHalfHost, 'inlineSource'>;

  /** @param page - word index of the page of the UAR, where this thread has it mapped */
  constructor(engine: Engine, uar: number, page: number, qpTable: number, memory: Pick<UserHalfHost, 'inlineSource'>) {
    this.engine = engine;
    this.uar = uar;
    this.page = page;
    this.qpTable = qpTable;
    this.memory = memory;
  }

  ringSq(qpNum: number): void {
    this.engine.ringSq(this.uar, this.qpTable, qpNum, this.page);
  }

  ringRq(qpNum: number): void {
    this.engine.ringRq(this.uar, qpNum, this.page);
  }

  inlineSource(addr: number, length: number): number {
    return this.memory.inlineSource(addr, length);
  }

  idle(): void {
    this.engine.idle();
  }
}
