/** `openverbs conformance`: does a provider do what the verbs promise? */
import { suites } from '@openverbs/conformance';
import { Option, type Command } from 'commander';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import { type CommonOptions, addExamples, createCommand } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { UsageError } from '../cli/usage-error.ts';
import { formatReport } from './format.ts';
import { runSuite } from './run.ts';

interface CommandOptions extends CommonOptions {
  readonly suite?: string[];
}

/** The subcommand. */
export function conformanceCommand(io: ToolIo = processIo): Command {
  const command = createCommand(
    'openverbs conformance',
    'Run the conformance suite against the first device of a provider; exit status 1 if a test fails.',
  ).addOption(new Option('--suite <names...>', 'these suites only'));
  addExamples(command, [
    ['openverbs conformance', 'all suites'],
    ['openverbs conformance --suite cq qp-state', 'some of them'],
    ['openverbs conformance --provider ./my-provider.js --json', 'another provider, for programs'],
  ]);
  return command.action(async (options: CommandOptions) => {
    checkSuites(options.suite ?? []);
    const report = await runSuite({ provider: options.provider, only: options.suite });
    io.out(options.json ? toJson(report) : formatReport(report));
    if (report.failed.length > 0) throw new ToolFailure();
  });
}

/** A suite that is misspelt says nothing about the provider. */
function checkSuites(wanted: readonly string[]): void {
  const names = suites.map(({ name }) => name);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`no such suite: ${unknown.join(', ')}`, `suites are ${names.join(', ')}`);
}
