/** Limits of this process that stop devices from working, and those that only slow them down. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { ProviderFinding } from '@openverbs/verbs/driver';
import { fine, wrong } from './finding.ts';

/** A machine has an address space of 4 GiB, and V8 reserves as much again around it; Node itself needs some more. */
const ADDRESS_SPACE_BYTES_MIN = 16 * 2 ** 30;
const LIMITS_FILE = '/proc/self/limits';

/** The findings; `limits` is the text of Linux's /proc/self/limits, null elsewhere. */
export function checkLimits(limits = readLimits(), processors = os.availableParallelism()): ProviderFinding[] {
  const found = `${processors}${processors < 2 ? '; two threads would take turns, which is slow' : ''}`;
  return [...checkAddressSpace(limits), fine('processors', found)];
}

function checkAddressSpace(limits: string | null): ProviderFinding[] {
  const [, soft] = /^Max address space\s+(\S+)/m.exec(limits ?? '') ?? [];
  if (soft === undefined) return [];
  const check = 'address space';
  if (soft === 'unlimited' || Number(soft) >= ADDRESS_SPACE_BYTES_MIN) return [fine(check, soft)];
  return [
    wrong(
      check,
      `${soft} bytes, too few to reserve a machine's memory in`,
      'raise it in this shell: ulimit -v unlimited',
    ),
  ];
}

function readLimits(): string | null {
  try {
    return readFileSync(LIMITS_FILE, 'utf8');
  } catch {
    return null;
  }
}
