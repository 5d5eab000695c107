import { expect } from 'chai';
import { openVerbs, type GuestCounters } from 'openverbs';
import { liveDisplay } from '../src/xentop/display.ts';
import { formatGuests, guestsToJson, shortNumber } from '../src/xentop/format.ts';
import { sampleGuests } from '../src/xentop/sample.ts';
import type { Terminal } from '../src/xentop/screen.ts';
import { openverbsCommand } from '../src/openverbs-command.ts';
import { run } from './run.ts';
import { describeFailures, itTellsAtTheEnd, PROGRAM, TIMEOUT_MS, xentop } from './xentop.ts';

/** A control sequence of a terminal. */
const CONTROL = new RegExp(`${String.fromCharCode(27)}\\[[?\\d]*[a-zA-Z]`, 'g');

const BACKEND = {
  commands: 70,
  refused: 1,
  faults: 1,
  posts: 0,
  directPosts: 2_500_000,
  completions: 0,
  bytes: 3_000_000,
  ringPayloadBytes: 0,
  events: 4,
  eventsLost: 0,
  pagesVerified: 300,
  pagesRegistered: 256,
};
const BYPASS: GuestCounters = {
  domid: 2,
  name: 'fast',
  mode: 'bypass',
  connected: true,
  memoryBytes: 2 ** 20,
  ringRequests: 70,
  notifications: 60,
  events: 4,
  polls: 0,
  pollsSaved: 0,
  cacheHits: 5,
  cachePagesSaved: 50,
  backend: BACKEND,
};
const BASIC: GuestCounters = {
  ...BYPASS,
  domid: 1,
  name: 'slow',
  mode: 'basic',
  ringRequests: 9000,
  polls: 4000,
  pollsSaved: 3000,
  backend: { ...BACKEND, posts: 4000, directPosts: 0, completions: 4000, bytes: 16_384_000 },
};
const NEW: GuestCounters = { ...BASIC, domid: 3, name: 'new', connected: false, ringRequests: 0, backend: undefined };

const sampleOf = (seconds: number, ...guests: GuestCounters[]) => ({ atNs: seconds * 1e9, guests });
const FORMER = sampleOf(
  10,
  { ...BASIC, ringRequests: 8000, backend: { ...BASIC.backend!, posts: 3600, bytes: 16_000_000 } },
  { ...BYPASS, ringRequests: 70, backend: { ...BACKEND, directPosts: 500_000, bytes: 1_000_000 } },
);
const SAMPLE = sampleOf(12, BASIC, BYPASS, NEW);

describe('the table of guests', () => {
  it('has a line a guest, with rates since the former sample', () => {
    expect(formatGuests(SAMPLE, FORMER).split('\n')).to.deep.equal([
      '  NAME  MODE     COMMANDS  CMD/S  POSTS  POST/S  SAVED  BYTES  BYTE/S  EVENTS  PAGES  HITS',
      '  slow  basic        9000    500   4000     200   3000  16.4M  192.0k       4    256     5',
      '  fast  bypass         70      0   2.5M    1.0M      -   3.0M    1.0M       4    256     5',
      '  new   (basic)         0      -      0       -   3000      -       -       4      -     5',
      '',
    ]);
  });

  it('has no rates without a former sample, nor for a guest that was another one then', () => {
    const lineOf = (former?: typeof FORMER): string => formatGuests(sampleOf(12, BYPASS), former).split('\n')[1];
    const unknown = '  fast  bypass        70      -   2.5M       -      -   3.0M       -       4    256     5';
    expect(lineOf()).to.equal(unknown);
    expect(lineOf(sampleOf(10, { ...BYPASS, domid: 7 }))).to.equal(unknown);
  });

  it('is plain data for programs: null for what nobody counts', () => {
    const { time, ...rest } = guestsToJson(SAMPLE, FORMER);
    expect(new Date(time).toISOString()).to.equal(time);
    expect(rest.seconds).to.equal(2);
    const [slow, fast, fresh] = rest.guests;
    expect(slow).to.deep.include({ posts: 4000, directPosts: 0, bytes: 16_384_000, polls: 4000, pollsSaved: 3000 });
    expect(slow.rates).to.deep.equal({ commands: 500, posts: 200, bytes: 192_000, events: 0 });
    expect(fast).to.deep.include({ posts: 0, directPosts: 2_500_000, bytes: 3_000_000, polls: null, pollsSaved: null });
    expect(fast).to.deep.include({ refused: 1, faults: 1, pagesRegistered: 256, cacheHits: 5, cachePagesSaved: 50 });
    expect([fresh.connected, fresh.rates]).to.deep.equal([false, null]);
    expect(guestsToJson(SAMPLE).seconds).to.equal(null);
  });

  it('is there for any program, of its own guests', () => {
    using verbs = openVerbs({ provider: 'xen', xen: { guests: [{ name: 'a', mode: 'basic' }, { name: 'b' }] } });
    const before = sampleGuests(verbs);
    verbs.devices[0].open().queryDevice();
    const [, a, b] = formatGuests(sampleGuests(verbs), before).split('\n');
    expect(a).to.match(/^ {2}a +basic +2 +\d+ +0 +0 +0 +0 +0 +0 +0 +0$/);
    expect(b).to.match(/^ {2}b +\(bypass\) +0 +0 +0 +0 +- +0 +0 +0 +0 +0$/);
  });

  for (const [value, text] of [
    [undefined, '-'],
    [0.4, '0'],
    [99_999, '99999'],
    [100_000, '100.0k'],
    [1_234_567, '1.2M'],
    [9.9e18, '9900.0P'],
  ] as const) {
    it(`prints ${value} as ${text}`, () => {
      expect(shortNumber(value)).to.equal(text);
    });
  }
});

/** A terminal of few lines, and what a user presses. */
class FakeTerminal implements Terminal {
  rows = 8;
  readonly columns = 60;
  written = '';
  press: (key: string) => void = () => undefined;
  /** Is told of each screen. */
  onScreen: () => void = () => undefined;

  write(text: string): void {
    this.written += text;
    if (text.startsWith('\u001b[H')) this.onScreen();
  }

  onKey(listener: (key: string) => void): () => void {
    this.press = listener;
    return () => {
      this.press = () => undefined;
    };
  }

  /** Lines of the last screen, without control sequences. */
  get lines(): string[] {
    const plain = this.written.split('\u001b[H').at(-1)!.replaceAll(CONTROL, '');
    return plain.split('\r\n').slice(0, -1);
  }
}

describe('openverbs-xentop', function () {
  this.timeout(TIMEOUT_MS);

  it('shows a screen with head, table and the last lines that the program prints, cut to the terminal', () => {
    const terminal = new FakeTerminal();
    const display = liveDisplay(terminal, 'server.js --port 7471');
    display.output('not shown before the first sample\n');
    display.show(SAMPLE, FORMER);
    expect(terminal.lines).to.have.lengthOf(7);
    expect(terminal.lines[0]).to.match(/^openverbs-xentop - \d\d:\d\d:\d\d {3}OpenVerbs \S+ {3}server/);
    expect(terminal.lines[1]).to.equal('3 guests: 2 basic, 1 bypass; 2 connected   (q: quit)');
    expect(terminal.lines[3])
      .to.have.lengthOf(60)
      .and.match(/^ {2}NAME {2}MODE/);
    terminal.rows = 14;
    display.show(sampleOf(12, BASIC), FORMER);
    display.output('half a ');
    display.output('line\nand another');
    expect(terminal.lines.slice(-3)).to.deep.equal(['not shown before the first sample', 'half a line', 'and another']);
    display.close();
    expect(terminal.written.startsWith('\u001b[?1049h')).to.equal(true);
    const [, left] = terminal.written.split('\u001b[?25h\u001b[?1049l');
    expect(left).to.match(/^ {2}NAME [^]*\n {2}slow [^]*\nhalf a line\nand another\n$/);
  });

  it('is live until somebody presses q, and leaves the terminal as it was', async () => {
    const terminal = new FakeTerminal();
    let screens = 0;
    terminal.onScreen = () => {
      // What the program prints makes a new screen, too.
      if (terminal.lines.some((line) => line.includes('guest1  bypass')) && ++screens === 2) terminal.press('q');
    };
    const { status, out, err } = await xentop(`-d 0.2 ${PROGRAM} stays`, terminal);
    expect([status, out, err]).to.deep.equal([0, '', '']);
    const [, left] = terminal.written.split('\u001b[?1049l');
    expect(left).to.match(/^ {2}NAME [^]*\n {2}guest1 {2}bypass [^]*\nthree-writes stays\n$/);
  });

  // The same on bypass is in xentop.exhaustive.ts.
  itTellsAtTheEnd('xen:basic');

  it('shows four guests that write to each other when no program is given, and ends after so many refreshes', async () => {
    const { status, out, err } = await xentop('-b -d 0.3 -i 2');
    expect([status, err]).to.deep.equal([0, '']);
    const tables = out.split('\n\n');
    expect(tables).to.have.lengthOf(2);
    for (const table of tables) if (!table.startsWith('no guests yet')) expect(table).to.match(/guest4 +\(?bypass/);
  });

  describeFailures(['throws', 'native']);

  const usageErrors: [line: string, message: RegExp][] = [
    ['-d 0', /It must be a number of seconds from 0\.1 to 3600\./],
    ['-d soon', /'soon' is invalid/],
    ['-i 0', /It must be an integer from 1 to/],
    ['--provider emulated --json', /--provider is for a program/],
    ['--guests 3', /It must be 2 or 4\./],
    ['--itrations 3', /unknown option '--itrations'\n\(Did you mean --iterations\?\)/],
    [
      `--guests 2 ${PROGRAM}`,
      /^openverbs-xentop: --guests is for when no program is given\nhint: set OPENVERBS_XEN_GUESTS/,
    ],
    ['/nowhere/server.js', /^openverbs-xentop: there is no program \/nowhere\/server\.js\nhint: /],
  ];
  for (const [line, message] of usageErrors) {
    it(`refuses '${line.replace(PROGRAM, 'program.js')}' with status 2 and a hint`, async () => {
      const { status, out, err } = await xentop(line);
      expect([status, out]).to.deep.equal([2, '']);
      expect(err)
        .to.match(message)
        .and.match(/^hint: .+$/m);
    });
  }

  it('--help says what the columns are, also as a subcommand', async () => {
    const help = await xentop('--help');
    expect([help.status, help.err]).to.deep.equal([0, '']);
    expect(help.out).to.match(/^Usage: openverbs-xentop \[options\] \[program\.js\] \[arguments\.\.\.\]\n/);
    for (const column of ['COMMANDS', 'POSTS', 'SAVED', 'HITS'])
      expect(help.out).to.match(new RegExp(`^ {2}${column} +\\S`, 'm'));
    expect(help.out).to.match(/\n {2}openverbs-xentop --once server\.js +\S/);
    expect((await run((io) => openverbsCommand(io), 'xentop --help')).out).to.match(
      /^Usage: openverbs xentop \[options\]/,
    );
  });
});
