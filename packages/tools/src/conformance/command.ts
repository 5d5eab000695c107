/** `openverbs conformance`: does a provider do what the verbs promise? */
import { Option, type Command } from 'commander';
import { type ToolIo, processIo, toJson } from '../cli/io.ts';
import { type CommonOptions, addExamples, createCommand } from '../cli/options.ts';
import { ToolFailure } from '../cli/run-tool.ts';
import { UsageError } from '../cli/usage-error.ts';
import { readDeviations } from './deviations.ts';

interface CommandOptions extends CommonOptions {
  readonly suite?: string[];
  readonly deviations?: string;
}

/** The subcommand. */
export function conformanceCommand(io: ToolIo = processIo): Command {
  const command = createCommand(
    'openverbs conformance',
    'Run the conformance suite against the first device of a provider, and print what ran, what its manifest leaves out, and ' +
      'what deviates and why; exit status 1 if a test fails, or passes although it is listed as a deviation.',
  )
    .addOption(new Option('--suite <names...>', 'these suites only'))
    .addOption(new Option('--deviations <file>', 'tests that are known to fail: JSON, {"suite › test": "reason"}'));
  addExamples(command, [
    ['openverbs conformance', 'all suites, in each placement'],
    ['openverbs conformance --suite cq qp-state', 'some of them'],
    ['openverbs conformance --provider ./my-provider.js --json', 'another provider, for programs'],
  ]);
  return command.action(async (options: CommandOptions) => {
    const [{ conforms, suites }, { formatReport }, { runSuites }] = await Promise.all([
      import('@openverbs/conformance'),
      import('./format.ts'),
      import('./run.ts'),
    ]);
    checkSuites(
      options.suite ?? [],
      suites.map(({ name }) => name),
    );
    const deviations = options.deviations === undefined ? undefined : readDeviations(options.deviations);
    const reports = await runSuites({ ...options, only: options.suite, deviations });
    io.out(
      options.json ? toJson({ conforms: reports.every(conforms), reports }) : reports.map(formatReport).join('\n'),
    );
    if (reports.some(({ failed }) => failed.length > 0)) throw new ToolFailure();
  });
}

/** A suite that is misspelt says nothing about the provider. */
function checkSuites(wanted: readonly string[], names: readonly string[]): void {
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`no such suite: ${unknown.join(', ')}`, `suites are ${names.join(', ')}`);
}
