/** Where a tool writes; handed in so that a test reads what a user would see. */
import process from 'node:process';

/** The two output streams of a tool. */
export interface ToolIo {
  /** Writes `text` to standard output; no newline is added. */
  readonly out: (text: string) => void;
  /** Writes `text` to standard error; no newline is added. */
  readonly err: (text: string) => void;
}

/** The process's own streams. */
export const processIo: ToolIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/**
 * A reader that has seen enough, such as `head`, closes the pipe; the tool then ends at once and quietly, as a C program does
 * on SIGPIPE. Output that can't be written for another reason, such as a full disk, is an error in one line.
 */
export function endOnFailedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      if (stream === process.stdout) process.stderr.write(`cannot write the output: ${error.message}\n`);
      process.exit(1);
    });
  }
}

/** `value` as indented JSON and a newline; a bigint becomes a hexadecimal string, because JSON has no 64-bit numbers. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `0x${item.toString(16)}` : item),
    2,
  );
  return `${text}\n`;
}
