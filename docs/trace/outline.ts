/** The spans of a trace as an outline: what lies in what, and in which order. Of two traces, side by side. */

/** A trace event, as far as this looks at it. */
export interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A line, indented by how many spans it lies in. */
type Outline = readonly string[];

/** Times are rounded to nanoseconds, begin and length each. */
const ROUNDING_US = 0.002;
/** Where the second column begins. */
const COLUMN = 44;

export function outlineOf(events: readonly TraceEvent[]): Outline {
  const layers = new Map(
    events.flatMap(({ name, tid, args }) => (name === 'thread_name' ? [[tid, String(args['name'])]] : [])),
  );
  const spans = events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur || a.tid - b.tid);
  const open: TraceEvent[] = [];
  return spans.map((span) => {
    while (open.length > 0 && !contains(open.at(-1)!, span)) open.pop();
    const line = `${'  '.repeat(open.length)}${layers.get(span.tid)}: ${nameOf(span)}`;
    open.push(span);
    return line;
  });
}

/** The first outline, and beside it the lines of the second, which are some of those of the first; throws when they are not. */
export function sideBySide(titles: readonly [string, string], first: Outline, second: Outline): string {
  const rest = [...second];
  const rows = first.map((line) => {
    const same = rest[0]?.trimStart() === line.trimStart();
    return [line, same ? rest.shift()! : ''];
  });
  if (rest.length > 0) throw new Error(`only in ${titles[1]}: ${rest[0]}`);
  return [titles, ...rows].map(([left, right]) => `${left.padEnd(COLUMN)}${right}`.trimEnd()).join('\n');
}

function contains(outer: TraceEvent, inner: TraceEvent): boolean {
  return inner.ts >= outer.ts - ROUNDING_US && inner.ts + inner.dur <= outer.ts + outer.dur + ROUNDING_US;
}

/** A frame by its opcode. */
function nameOf({ name, args }: TraceEvent): string {
  const { text } = args;
  const opcode = typeof text === 'string' ? /: (\w+),/.exec(text)?.[1] : undefined;
  return opcode === undefined ? name : name.replace('frame', opcode);
}
