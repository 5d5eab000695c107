/** The three ways to show samples: on a terminal, as tables one after the other, as JSON. */
import type { ToolIo } from '../cli/io.ts';
import { toolsVersion } from '../cli/options.ts';
import { formatGuests, guestsToJson } from './format.ts';
import type { GuestSample } from './sample.ts';
import { Screen, type Terminal } from './screen.ts';

/** Shows samples. */
export interface Display {
  show(sample: GuestSample, former: GuestSample | undefined): void;
  /** What the program that is watched prints. */
  readonly output: (text: string) => void;
  close(): void;
}

/** Lines of the program's output that are shown below the table. */
const OUTPUT_LINES_MAX = 8;

/** One JSON object a line; what the program prints goes to stderr. */
export function jsonDisplay(io: ToolIo): Display {
  return {
    show(sample, former) {
      io.out(`${JSON.stringify(guestsToJson(sample, former))}\n`);
    },
    output: io.err,
    close: () => undefined,
  };
}

/** Tables, one after the other, as `xentop -b` prints them; what the program prints goes to stderr. */
export function batchDisplay(io: ToolIo): Display {
  let first = true;
  return {
    show(sample, former) {
      io.out(first ? '' : '\n');
      first = false;
      io.out(sample.guests.length === 0 ? 'no guests yet\n' : formatGuests(sample, former));
    },
    output: io.err,
    close: () => undefined,
  };
}

/**
 * One screen, which is written anew each time, with the last lines of what the program prints. What it showed in the end stays on the user's own
 * screen.
 */
export function liveDisplay(terminal: Terminal, title: string): Display {
  const screen = new Screen(terminal);
  let printed: string[] = [''];
  let shown: readonly [GuestSample, GuestSample | undefined] | undefined;
  const body = (): string[] => {
    const table =
      shown === undefined
        ? []
        : formatGuests(...shown)
            .trimEnd()
            .split('\n');
    return [...table, '', ...printed.filter((line) => line !== '').slice(-OUTPUT_LINES_MAX)];
  };
  const draw = (): void => {
    if (shown === undefined) return;
    const head = headOf(title, shown[0]);
    screen.show([...head, ...body()], head.length);
  };
  return {
    show(sample, former) {
      shown = [sample, former];
      draw();
    },
    output(text) {
      const lines = (printed.at(-1)! + text).split('\n');
      printed = [...printed.slice(0, -1), ...lines].slice(-OUTPUT_LINES_MAX - 1);
      draw();
    },
    close() {
      screen.close();
      terminal.write(`${body().join('\n').trimEnd()}\n`);
    },
  };
}

function headOf(title: string, { guests }: GuestSample): string[] {
  const time = new Date().toTimeString().slice(0, 8);
  const connected = guests.filter(({ connected: isConnected }) => isConnected).length;
  const modes = ['basic', 'bypass'].map((mode) => `${guests.filter((guest) => guest.mode === mode).length} ${mode}`);
  return [
    `openverbs-xentop - ${time}   OpenVerbs ${toolsVersion()}   ${title}`,
    `${guests.length} guests: ${modes.join(', ')}; ${connected} connected   (q: quit)`,
    '',
  ];
}
