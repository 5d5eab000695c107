/** Runs a command line and turns whatever ends it into messages and an exit status. */
import process from 'node:process';
import { type Command, CommanderError } from 'commander';
import { VerbsError } from '@openverbs/verbs';
import { endOnFailedOutput, processIo, type ToolIo } from './io.ts';
import { UsageError } from './usage-error.ts';

/** Exit statuses of the tools. */
export const ExitStatus = {
  OK: 0,
  /** What was asked for could not be done, or something was found to be wrong. */
  FAILED: 1,
  /** The command line makes no sense. */
  USAGE: 2,
} as const;

/** Thrown by an action that has reported its findings itself and only wants the status. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
}

/**
 * Parses `args` (without node and script) with `program`, runs the action and returns the exit status. Nothing is thrown:
 * errors are printed on `io`, those of users without a stack.
 */
export async function runTool(program: Command, args: readonly string[], io: ToolIo = processIo): Promise<number> {
  let running = program;
  program.hook('preAction', (_program, action) => void (running = action));
  prepare(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ExitStatus.OK;
  } catch (error) {
    return report(error, pathOf(running), io);
  }
}

/** {@link runTool} for this process; what the files in `bin` call. */
export async function main(program: Command): Promise<void> {
  endOnFailedOutput();
  process.exitCode = await runTool(program, process.argv.slice(2));
}

/** `openverbs devinfo` for a subcommand. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function prepare(command: Command, io: ToolIo): void {
  const hint = `hint: ${pathOf(command)} --help shows the options, with examples`;
  command
    .exitOverride()
    .showHelpAfterError(hint)
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(`${pathOf(command)}: ${text.replace(/^error: /, '')}`),
    });
  for (const subcommand of command.commands) prepare(subcommand, io);
}

function report(error: unknown, tool: string, io: ToolIo): number {
  if (error instanceof ToolFailure) return ExitStatus.FAILED;
  // Commander has printed its message; a request for help or for the version ends here too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.OK : ExitStatus.USAGE;
  if (error instanceof UsageError) {
    explain(error, tool, io);
    return ExitStatus.USAGE;
  }
  if (VerbsError.is(error) || isSystemError(error)) explain(error, tool, io);
  else io.err(`${tool}: this should not have happened\n${error instanceof Error ? error.stack : String(error)}\n`);
  return ExitStatus.FAILED;
}

function explain(error: Error, tool: string, io: ToolIo): void {
  io.err(`${tool}: ${error.message}\n`);
  if ('hint' in error && typeof error.hint === 'string' && error.hint) io.err(`hint: ${error.hint}\n`);
}

/** A failed system call, whose message names it and the file. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
