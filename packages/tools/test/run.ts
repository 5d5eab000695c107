/** Runs a tool in this process and keeps what it prints. */
// The helpers of its container are globals, which are to be there before a test begins.
import 'openverbs';
import type { Command } from 'commander';
import { runTool } from '../src/cli/run-tool.ts';
import type { ToolIo } from '../src/cli/io.ts';

/** What a user would see. */
export interface ToolRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs what `create` makes with the words of `line`. */
export async function run(create: (io: ToolIo) => Command, line = ''): Promise<ToolRun> {
  let out = '';
  let err = '';
  const io: ToolIo = { out: (text) => void (out += text), err: (text) => void (err += text) };
  const status = await runTool(create(io), line.split(' ').filter(Boolean), io);
  return { status, out, err };
}
