/** Makes `docs/compatibility.md` of the table of verbs and of what the packages export. */
import { openVerbs, leftOutFeature, LEFT_OUT, VerbsError, type Device } from 'openverbs';
import * as gen2 from 'openverbs/gen2';
import * as kernel from 'openverbs/kernel';

import { markdownTable } from '../markdown-table.ts';
import { KERNEL_VERB_GROUPS } from './kernel-verbs.ts';
import { VERB_GROUPS, type VerbRow } from './verbs.ts';

const HEAD = `# Compatibility with libibverbs

Every verb of \`<infiniband/verbs.h>\` (rdma-core 691953d8d), how the SDK spells it, and whether it is there. The C names are exported
by \`openverbs/gen2\`; those of kernel level, which follow, by \`openverbs/kernel\`. This page is generated: \`npm run compatibility\` writes it, and a test fails when it is stale.

- **yes**: any device does it, or the column beside names the capability that a device needs: \`device.supports(name)\` tells. A device
  that lacks it answers \`EOPNOTSUPP\`.
- **yes, not emulated**: the API has it; the emulated HCA lacks the capability.
- **EOPNOTSUPP**: left out on purpose. The function is there, throws \`EOPNOTSUPP\`, and its hint says what to use instead.
`;

/** The page. */
export function renderCompatibility(): string {
  using verbs = openVerbs({ provider: 'emulated', emulated: { devices: 1, placement: 'inline' } });
  const device = verbs.device();
  const groups = [...VERB_GROUPS, ...KERNEL_VERB_GROUPS].map(({ title, verbs: rows }) => {
    const cells = rows.map((row) => cellsOf(row, device));
    return `## ${title}\n\n${markdownTable(['verb', 'in the SDK', 'there', 'capability'], cells)}`;
  });
  return [HEAD, ...groups, leftOut()].join('\n');
}

/** Whether `openverbs/gen2` or `openverbs/kernel` exports a function of this name. */
export function isExported(name: string): boolean {
  return functionOf(name) !== undefined;
}

function cellsOf([name, sdk, needs]: VerbRow, device: Device): string[] {
  const there = isLeftOut(name) ? 'EOPNOTSUPP' : statusOf(needs === undefined || device.supports(needs));
  // What is in parentheses is no code.
  const spelling = sdk === '' ? '' : sdk.startsWith('(') ? sdk.slice(1, -1) : `\`${sdk}\``;
  return [`\`${name}\``, spelling, there, needs === undefined ? '' : `\`${needs}\``];
}

/** Kernel level has no table of what is left out; such a function refuses whatever it is given. */
function isLeftOut(name: string): boolean {
  if (leftOutFeature(name) !== undefined) return true;
  if (!name.startsWith('ib_')) return false;
  try {
    functionOf(name)?.();
    return false;
  } catch (error) {
    return VerbsError.is(error) && error.code === 'EOPNOTSUPP';
  }
}

function functionOf(name: string): (() => unknown) | undefined {
  const found = ({ ...gen2, ...kernel } as Readonly<Record<string, unknown>>)[name];
  return typeof found === 'function' ? (found as () => unknown) : undefined;
}

function statusOf(emulated: boolean): string {
  return emulated ? 'yes' : 'yes, not emulated';
}

function leftOut(): string {
  const rows = Object.values(LEFT_OUT).map(({ what, why, hint }) => [what, why, hint]);
  return `## What is left out, and what to use instead\n\n${markdownTable(['feature', 'why', 'instead'], rows)}`;
}
