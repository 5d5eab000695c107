/** Takes samples and has them shown, until it is enough. */
import type { Display } from './display.ts';
import type { GuestSample } from './sample.ts';

/** What is watched. */
export interface Watched {
  sample(): GuestSample;
  /** Settles when there is nothing more to watch. */
  readonly ended: Promise<unknown>;
}

/** How it is watched. */
export interface WatchOptions {
  readonly delayS: number;
  /** Refreshes, and then it is enough. */
  readonly iterations: number;
  /** Whether it is shown once, at the end of what is watched. */
  readonly atEnd: boolean;
  /** Is enough, too. */
  readonly quit: Promise<unknown>;
}

const MS_PER_S = 1000;

/** Shows samples at equal distances, and a last one when what is watched ends; returns whether that was so. */
export async function watch(watched: Watched, display: Display, options: WatchOptions): Promise<boolean> {
  const { delayS, iterations, atEnd, quit } = options;
  const ended = watched.ended.then(
    () => 'ended',
    () => 'ended',
  );
  const enough = quit.then(() => 'quit');
  let former = watched.sample();
  for (let n = 0; n < iterations; n++) {
    const happened = await (atEnd ? Promise.race([ended, enough]) : within(delayS * MS_PER_S, ended, enough));
    if (happened === 'quit') return false;
    const sample = watched.sample();
    display.show(sample, former);
    if (happened === 'ended') return true;
    former = sample;
  }
  return false;
}

/** What happens first, or `'late'`. */
async function within(ms: number, ...events: readonly Promise<string>[]): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve('late');
    }, ms);
  });
  try {
    return await Promise.race([...events, late]);
  } finally {
    clearTimeout(timer);
  }
}
