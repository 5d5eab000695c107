/** Whether this Node can run OpenVerbs. */
import process from 'node:process';
import type { ProviderFinding } from '@openverbs/verbs/driver';
import { fine, wrong } from './finding.ts';

/** The type of that name is the browser library's. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (descriptor: object) => unknown };
};

/** As in `engines` of package.json. */
export const NODE_VERSIONS = '^20.19.0 || >=22.12.0';

/** The version, and the two features that the emulated HCA rests on. */
export function checkRuntime(version = process.versions.node): ProviderFinding[] {
  return [
    isSupported(version)
      ? fine('version', version)
      : wrong(
          'version',
          `${version}, but ${NODE_VERSIONS} is needed`,
          'install Node.js 22 or later: https://nodejs.org',
        ),
    checkSharedMemory(),
  ];
}

/** Whether a version is in {@link NODE_VERSIONS}. */
export function isSupported(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major === 20 ? minor >= 19 : major === 22 ? minor >= 12 : major > 22;
}

function checkSharedMemory(): ProviderFinding {
  const check = 'shared memory';
  try {
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return fine(check, 'WebAssembly memory that threads share');
  } catch (error) {
    return wrong(
      check,
      (error as Error).message,
      'run Node.js without options that switch WebAssembly off, such as --jitless',
    );
  }
}
