/** The programs of the benchmark: one writer on each provider of the process, all on this thread. */
import { openVerbs } from 'openverbs';
import type { Context, OpenVerbs } from 'openverbs';
import { VerbsWriter } from '../verbs-writer.ts';
import { furtherProviders } from './further-providers.ts';

/** Writes by which each further provider stays in use: before the measuring, and between any two blocks. */
const FURTHER_WRITES_FIRST = 50_000;
const FURTHER_WRITES = 200;

export class Writers {
  /** The writer that is measured: on the emulated HCA. */
  readonly first: VerbsWriter;
  readonly #verbs: OpenVerbs;
  readonly #others: readonly VerbsWriter[];

  /** Opens `providers` providers, and uses all of them. */
  constructor(providers: number, size: number) {
    this.#verbs = openVerbs({ providers: ['emulated', ...furtherProviders(providers - 1)] });
    const [first, ...others] = this.#verbs.devices.map((device) => connectedWriter(device.open(), size));
    this.first = first;
    this.#others = others;
    this.useOthers(FURTHER_WRITES_FIRST);
  }

  /** Has every further provider write, by both forms, so that the classes of all stay in V8's feedback. */
  useOthers(writes = FURTHER_WRITES): void {
    for (const writer of this.#others) {
      writer.write(writes);
      writer.writeExtended(writes);
    }
  }

  [Symbol.dispose](): void {
    this.#verbs[Symbol.dispose]();
  }
}

/** A writer whose peer is a second one of the same context. */
export function connectedWriter(context: Context, size: number): VerbsWriter {
  const writer = new VerbsWriter(context, size);
  const peer = new VerbsWriter(context, size);
  writer.connect(peer.address);
  peer.connect(writer.address);
  return writer;
}
