/** A terminal that shows one screen of text at a time, and tells of keys. It is handed in, so that a test sees what a user would see. */
import process from 'node:process';

/** What a live display needs of a terminal. */
export interface Terminal {
  /** Lines that it has. */
  readonly rows: number;
  readonly columns: number;
  write(text: string): void;
  /** Tells of each key, until the function that is returned is called. */
  onKey(listener: (key: string) => void): () => void;
}

/** Control sequences of ECMA-48 and of xterm: another screen, so that the user's own comes back at the end; no cursor; from the top. */
const OPEN = '\u001b[?1049h\u001b[?25l';
const CLOSE = '\u001b[?25h\u001b[?1049l';
const TOP = '\u001b[H';
const END_OF_LINE = '\u001b[K\r\n';
const END_OF_SCREEN = '\u001b[J';
const INVERSE = '\u001b[7m';
const PLAIN = '\u001b[0m';

/** The process's own terminal; null when there is none at both ends. */
export function processTerminal(): Terminal | null {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return null;
  return {
    get rows() {
      return stdout.rows;
    },
    get columns() {
      return stdout.columns;
    },
    write: (text) => void stdout.write(text),
    onKey(listener) {
      const take = (data: Buffer): void => {
        for (const key of data.toString()) listener(key);
      };
      stdin.setRawMode(true).on('data', take).resume();
      return () => {
        stdin.off('data', take).setRawMode(false).pause();
      };
    },
  };
}

export class Screen {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(OPEN);
  }

  /** Shows lines, cut where the terminal ends; the line `inverse` stands out. */
  show(lines: readonly string[], inverse: number): void {
    const { rows, columns } = this.#terminal;
    const shown = lines.slice(0, rows - 1).map((line, index) => {
      const cut = line.slice(0, columns);
      return index === inverse ? `${INVERSE}${cut.padEnd(columns)}${PLAIN}` : cut;
    });
    this.#terminal.write(TOP + shown.map((line) => line + END_OF_LINE).join('') + END_OF_SCREEN);
  }

  close(): void {
    this.#terminal.write(CLOSE);
  }
}
