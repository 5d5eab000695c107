/** `openverbs doctor`: says what is wrong with this machine, and what to do about it. */
import type { Command } from 'commander';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import { type CommonOptions, addExamples, createCommand } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { type FindingGroup, allFine } from './finding.ts';
import { formatFindings } from './format.ts';
import { checkLimits } from './limits.ts';
import { checkRuntime } from './runtime.ts';

/** The subcommand. */
export function doctorCommand(io: ToolIo = processIo): Command {
  const command = createCommand(
    'openverbs doctor',
    'Check this machine, the providers and the devices; exit status 1 if something is wrong.',
  );
  addExamples(command, [
    ['openverbs doctor', 'everything'],
    ['openverbs doctor --provider emulated', 'one provider'],
    ['openverbs doctor --json', 'for programs'],
  ]);
  return command.action(async (options: CommonOptions) => {
    const groups = await examine(options);
    io.out(options.json ? toJson({ ok: allFine(groups), groups }) : formatFindings(groups));
    if (!allFine(groups)) throw new ToolFailure();
  });
}

async function examine(options: CommonOptions): Promise<FindingGroup[]> {
  const [{ checkProviders }, { runSelfTest }] = await Promise.all([import('./providers.ts'), import('./self-test.ts')]);
  return [
    { title: 'Node.js', findings: checkRuntime() },
    ...checkProviders(options.provider),
    { title: 'Limits', findings: checkLimits() },
    { title: 'Devices', findings: runSelfTest(options) },
  ];
}
