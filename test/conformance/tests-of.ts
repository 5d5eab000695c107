/** Which tests of the conformance suite a subject is given, without running any. */
import { runConformance } from '@openverbs/conformance';
import type { ConformanceSubject, TestInterface } from '@openverbs/conformance';

/** Names of tests, as a runner shows them. */
export function testsOf(subject: ConformanceSubject): string[] {
  const path: string[] = [];
  const names: string[] = [];
  const collecting: TestInterface = {
    describe: (title, body) => {
      path.push(title);
      body();
      path.pop();
    },
    it: (title) => {
      names.push([...path.slice(1), title].join(' › '));
    },
    before: () => undefined,
    after: () => undefined,
  };
  runConformance({ ...subject, interface: collecting });
  return names;
}
