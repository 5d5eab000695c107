/** What threads of guests share with the main thread, which gets no turn of its event loop meanwhile. */
import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Domain } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { provider as emulated } from '@openverbs/provider-emulated';
import { backendPath } from '../../src/protocol/handshake.ts';

/** Words that all of them see. */
export const GuestThreadWord = {
  /** Not 0 once the honest guests are to end. */
  STOP: 0,
  /** Hostile threads that are not done yet. */
  HOSTILE: 1,
  /** Threads that are not done yet. */
  LEFT: 2,
  /** Honest guests that have told the numbers of their objects. */
  TOLD: 3,
  /** Here they are: {@link NUMBERS_PER_GUEST} of each. */
  NUMBERS: 8,
} as const;
export const NUMBERS_PER_GUEST = 8;

export type GuestMode = 'basic' | 'bypass';

/** What a thread is started with. */
export interface GuestThreadData {
  /** What the thread with the device domain hands out. */
  readonly machine: unknown;
  readonly mode: GuestMode;
  /** Its place among those of its kind. */
  readonly index: number;
  /** Honest guests in all. */
  readonly honest: number;
  readonly seed: number;
  /** Attacks beside one at each field; an honest guest makes none. */
  readonly attacks: number;
  readonly control: Int32Array;
  /** Domain of the guest whose open of the device the last thread ends; see {@link letGo}. */
  readonly blocked: number;
  readonly port: MessagePort;
}

/** What a thread says at its end. */
export interface GuestThreadReport {
  readonly failure: string;
  /** Attacks by command, or pulses. */
  readonly done: Readonly<Record<string, number>>;
}

/** How the split driver finds the lower devices. */
export const lower = {
  definition: emulated,
  config: emulated.parseConfig({ placement: 'inline' }),
  modulePath: fileURLToPath(import.meta.resolve('@openverbs/provider-emulated')),
};

/** The hypervisor, as a thread has it that joins. */
export interface Joined {
  readonly machine: Machine;
  readonly hypervisor: EmulatedHypervisor;
  /** A handle of dom0. */
  readonly toolstack: Domain;
  close(): void;
}

export function join(handle: unknown): Joined {
  const machine = Machine.attach(handle as MachineHandle);
  const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
  return {
    machine,
    hypervisor,
    toolstack: hypervisor.domain(DOM0),
    close: () => {
      hypervisor.close();
      machine.detach();
    },
  };
}

/** Has the device of a guest that is not connected wait: opening it takes until {@link letGo}, or times out. */
export function holdBack({ xenstore }: Domain, domid: number): void {
  xenstore.write(`${backendPath(DOM0, domid, 0)}/state`, '7');
}

/** The device is offered, as the back-end would. */
export function letGo({ xenstore }: Domain, domid: number): void {
  xenstore.write(`${backendPath(DOM0, domid, 0)}/state`, '2');
}

/** Runs the program of a thread, tells what came of it, and lets the main thread go when it was the last one. */
export function runGuestThread(
  { machine, control, blocked, port }: GuestThreadData,
  program: (joined: Joined) => Readonly<Record<string, number>>,
): void {
  const joined = join(machine);
  let report: GuestThreadReport;
  try {
    report = { failure: '', done: program(joined) };
  } catch (error) {
    report = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error), done: {} };
    Atomics.store(control, GuestThreadWord.STOP, 1);
  }
  port.postMessage(report);
  port.close();
  if (Atomics.sub(control, GuestThreadWord.LEFT, 1) === 1) letGo(joined.toolstack, blocked);
}
