/** What later versions of libibverbs added to an open device: extended queries, and the verbs that are left out. */
import type { PortAttr } from './attributes/device.ts';
import { portSpeed } from './enums/port.ts';
import { refuseLeftOut } from './left-out.ts';
import { VerbsObject } from './lifetime.ts';

/** See `Context`. */
export abstract class ContextEx extends VerbsObject {
  /** How a port is doing. @internal */
  abstract queryPort(port?: number): PortAttr;

  /** The speed of a port in units of 100 Mb/s, 0 when it is not known. Source: `ibv_query_port_speed`(3). */
  queryPortSpeed(port = 1): number {
    const { activeWidth, activeSpeed } = this.queryPort(port);
    return portSpeed(activeWidth, activeSpeed);
  }

  /** Left out: throws EOPNOTSUPP. Memory of a software HCA is `allocBuf`. */
  allocDm(): never {
    refuseLeftOut('ibv_alloc_dm');
  }

  /** Left out: throws EOPNOTSUPP. */
  createWq(): never {
    refuseLeftOut('ibv_create_wq');
  }

  /** Left out: throws EOPNOTSUPP. */
  createRwqIndTable(): never {
    refuseLeftOut('ibv_create_rwq_ind_table');
  }

  /** Left out: throws EOPNOTSUPP. */
  createFlowActionEsp(): never {
    refuseLeftOut('ibv_create_flow_action_esp');
  }

  /** Left out: throws EOPNOTSUPP. */
  createCounters(): never {
    refuseLeftOut('ibv_create_counters');
  }

  /** Left out: throws EOPNOTSUPP. */
  createCompCntr(): never {
    refuseLeftOut('ibv_create_comp_cntr');
  }

  /** Left out: throws EOPNOTSUPP. */
  allocDmah(): never {
    refuseLeftOut('ibv_alloc_dmah');
  }
}
