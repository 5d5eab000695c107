/** Causes what can happen to hardware, for tests of programs. */
import type { Gid } from '@openverbs/verbs';
import type { DeviceFaults } from '@openverbs/verbs/driver';
import { CommandInterface } from '../command-interface.ts';
import { failDevice, failQp, removeDevice, setGid, setPkey, setPortDown } from '../device-faults.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { asVerbsError } from './errors.ts';

/** The faults of one HCA. */
export function hcaFaults(engine: Engine, hca: Hca): DeviceFaults {
  const commands = new CommandInterface(engine, hca);
  return {
    setPort: (port: number, up: boolean) => {
      asVerbsError(() => {
        setPortDown(engine, hca, port, !up);
      });
    },
    setGid: (port: number, index: number, gid: Gid) => {
      asVerbsError(() => {
        setGid(engine, hca, port, index, gid.bytes);
      });
    },
    setPkey: (port: number, index: number, pkey: number) => {
      asVerbsError(() => {
        setPkey(engine, hca, port, index, pkey);
      });
    },
    failQp: (qpn: number) => {
      asVerbsError(() => {
        engine.command(() => {
          failQp(engine, commands.qps.context(qpn));
        });
      });
    },
    failDevice: () => {
      asVerbsError(() => {
        failDevice(engine, hca);
      });
    },
    removeDevice: () => {
      asVerbsError(() => {
        removeDevice(engine, hca);
      });
    },
  };
}
