/**
 * Brings a provider's definition. Packages are loaded by `require`, which takes ES modules without top-level await, so that
 * `openVerbs()` stays a plain call and only the named providers load.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { VerbsError } from '@openverbs/verbs';
import { DRIVER_ABI, nearestKey } from '@openverbs/verbs/driver';
import type { ProviderDefinition } from '@openverbs/verbs/driver';

import type { ProviderReference } from './configuration/config.ts';

/** The providers that have a short name. */
export const PROVIDER_PACKAGES: Readonly<Record<string, string>> = Object.freeze({
  emulated: '@openverbs/provider-emulated',
  xen: '@openverbs/provider-xen',
  native: '@openverbs/provider-native',
});

/** Names that are kept for providers to come. */
const PLANNED: readonly string[] = ['native'];

/** What `provider` can name without anything else being installed. */
const KNOWN_PROVIDERS: readonly string[] = ['emulated', 'xen:basic', 'xen:bypass'];

const FIELDS = { name: 'string', driverAbi: 'number', parseConfig: 'function', open: 'function' } as const;

/** What a provider's author has to change, by Node's error code. */
const HINTS: Readonly<Record<string, string>> = {
  ERR_REQUIRE_ASYNC_MODULE: "a provider's modules must not use top-level await",
  ERR_PACKAGE_PATH_NOT_EXPORTED: "its package.json has to export it under the condition 'default'",
};

/**
 * The definition that `reference` means: itself, or what its package exports as `provider` or as default.
 *
 * @throws VerbsError ENOENT if there is no such package, EINVAL if it is no provider or one for another version of the contract.
 */
export function loadProvider(reference: ProviderReference, directory = process.cwd()): ProviderDefinition {
  if (typeof reference !== 'string') return checkDefinition(reference, 'the given provider');
  const specifier = Object.hasOwn(PROVIDER_PACKAGES, reference) ? PROVIDER_PACKAGES[reference] : reference;
  const exports = requireProvider(reference, specifier, directory) as Partial<Record<'provider' | 'default', unknown>>;
  return checkDefinition(exports?.provider ?? exports?.default, `provider '${reference}'`);
}

/**
 * The file of a provider's module, for threads that load it by themselves; empty for a definition, which no thread can be given.
 *
 * @throws VerbsError ENOENT if there is no such package
 */
export function modulePathOf(reference: ProviderReference, directory = process.cwd()): string {
  if (typeof reference !== 'string') return '';
  const specifier = Object.hasOwn(PROVIDER_PACKAGES, reference) ? PROVIDER_PACKAGES[reference] : reference;
  return findModule(reference, specifier, directory);
}

function requireProvider(reference: string, specifier: string, directory: string): unknown {
  const path = findModule(reference, specifier, directory);
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw cannotLoad(reference, cause);
  }
}

function findModule(reference: string, specifier: string, directory: string): string {
  // The file need not exist; its directory is where the search begins.
  const requireThere = createRequire(join(directory, 'openverbs.config.json'));
  const requireHere = createRequire(import.meta.url);
  // A provider with a short name belongs to OpenVerbs, which may have it as a dependency of its own that the program can't see.
  const searches = specifier === reference ? [requireThere] : [requireHere, requireThere];
  for (const search of searches) {
    try {
      return search.resolve(specifier);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cannotLoad(reference, cause);
    }
  }
  throw new VerbsError({
    code: 'ENOENT',
    verb: 'openVerbs',
    message: `there is no provider '${reference}': '${specifier}' was not found from ${directory}`,
    hint: howToGet(reference, specifier),
    details: { provider: reference, specifier, directory },
  });
}

function howToGet(reference: string, specifier: string): string {
  if (/^(\.{0,2}\/|[A-Za-z]:)/.test(specifier)) return 'a path is relative to the current directory';
  const known = `those that come with OpenVerbs are ${KNOWN_PROVIDERS.join(', ')}`;
  if (PLANNED.includes(reference)) return `OpenVerbs has no such provider yet; ${known}`;
  const nearest = nearestKey(specifier, Object.keys(PROVIDER_PACKAGES));
  if (nearest !== undefined) return `did you mean '${nearest}'? ${known}`;
  return `${known}; if it is a package, install it: npm install ${specifier}`;
}

function cannotLoad(reference: string, cause: unknown): VerbsError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hint = HINTS[code ?? ''] ?? '';
  const text = `provider '${reference}' does not load: ${message}`;
  return new VerbsError({
    code: 'EINVAL',
    verb: 'openVerbs',
    message: text,
    hint,
    details: { provider: reference },
    cause,
  });
}

function checkDefinition(value: unknown, what: string): ProviderDefinition {
  const definition = (value ?? {}) as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(FIELDS).find(([field, type]) => typeof definition[field] !== type);
  if (wrong !== undefined) {
    const message = `${what} is not a provider: its '${wrong[0]}' is not a ${wrong[1]}`;
    const hint = "a provider's package exports the result of defineProvider() as `provider`";
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint, details: { field: wrong[0] } });
  }
  const { driverAbi } = definition as { readonly driverAbi: number };
  if (driverAbi !== DRIVER_ABI) {
    const older = driverAbi < DRIVER_ABI ? 'the provider' : 'openverbs';
    throw new VerbsError({
      code: 'EINVAL',
      verb: 'openVerbs',
      message: `${what} is written for version ${driverAbi} of the driver contract; this OpenVerbs has version ${DRIVER_ABI}`,
      hint: `${older} is the older one: update it`,
      details: { driverAbi, expected: DRIVER_ABI },
    });
  }
  return value as ProviderDefinition;
}
