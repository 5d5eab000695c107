/** Makes `docs/vendor-errors.md` of the list of vendor errors, of what stands above each, and of the sentences of `wc.explain()`. */
import { readFileSync } from 'node:fs';

import { VendorErr, WcStatus, WorkCompletion } from 'openverbs';

import { markdownTable } from '../markdown-table.ts';

const SOURCE = new URL('../../../packages/verbs/src/rings/vendor-err.ts', import.meta.url);
const ENTRY = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s+(\w+): \d+,/g;

/** What the sentences of the page are made with: a key of MR 26, and 4096 as an address or a value. */
const FAULT_KEY = 0x1a07;
const FAULT_ADDR = 4096;

const HEAD = `# Vendor errors

A failed completion of the devices of OpenVerbs says by \`vendorErr\` which check failed; \`faultKey\` and \`faultAddr\` say where it looked,
and \`wc.explain()\` makes a sentence of the three. "Key" and "value" below are these two fields. The list is part of the interface:
a number keeps its meaning. Other devices have codes of their own.

Where messages travel as packets (\`emulated.packets\`), a peer answers with a syndrome of one byte, so its reason is known at its own end
only: the requester's completion then names what it had asked for, under one of the codes that begin with \`NAK_\`.

The last column is what \`wc.explain()\` says for the key 0x1a07 and the value 4096. This page is generated:
\`npm run vendor-errors\` writes it, and a test fails when it is stale.
`;

/** The page. */
export function renderVendorErrors(): string {
  const meanings = meaningsOf(readFileSync(SOURCE, 'utf8'));
  const rows = Object.entries(VendorErr)
    .toSorted(([, a], [, b]) => a - b)
    .map(([name, code]) => [String(code), `\`${name}\``, meanings.get(name) ?? '', code === 0 ? '' : sentenceOf(code)]);
  return `${HEAD}\n${markdownTable(['vendorErr', 'name', 'meaning', 'explained as'], rows)}`;
}

/** What stands above each entry of the source, on one line. */
export function meaningsOf(source: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(source.matchAll(ENTRY), ([, text, name]) => [name, text.replace(/\s*\n\s*\*\s*/g, ' ').trim()]),
  );
}

/** What `wc.explain()` says after the status. */
export function sentenceOf(vendorErr: number): string {
  const fault = { status: WcStatus.GENERAL_ERR, vendorErr, faultKey: FAULT_KEY, faultAddr: FAULT_ADDR };
  return Object.assign(new WorkCompletion(), fault).explain().replace('GENERAL_ERR: ', '');
}
