/** Ends several things, none of which keeps the others from being ended. */

/**
 * Runs all steps, whatever one of them throws.
 *
 * @throws what the first of those that failed has thrown, when all have run
 */
export function closeEach(steps: Iterable<() => void>): void {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
