/** Walks through every order in which the steps of several threads can happen. */

/** Threads as small-step machines over one shared state. */
export interface Model<State> {
  readonly initial: State;
  readonly threads: number;
  /**
   * Takes the next step of a thread on a copy of the state: one access to shared memory. Returns undefined when the thread has
   * ended or is blocked.
   */
  step(state: State, thread: number): State | undefined;
  /** Differs between states that differ. */
  key(state: State): string;
}

export interface Exploration<State> {
  /** Different states that were reached. */
  readonly states: number;
  /** Those in which no thread can take a step. */
  readonly ends: readonly State[];
}

/** Reaches every state once. */
export function explore<State>(model: Model<State>): Exploration<State> {
  const seen = new Set<string>([model.key(model.initial)]);
  const open: State[] = [model.initial];
  const ends: State[] = [];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    let stuck = true;
    for (let thread = 0; thread < model.threads; thread++) {
      const next = model.step(state, thread);
      if (next === undefined) continue;
      stuck = false;
      const key = model.key(next);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
    }
    if (stuck) ends.push(state);
  }
  return { states: seen.size, ends };
}
