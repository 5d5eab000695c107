/** Merges the sources of settings into one configuration, and refuses what nobody asked for. */
import type { RegistrationCacheOps } from '@openverbs/registration-cache';
import { VerbsError } from '@openverbs/verbs';
import type { LowerProvider, ProviderDefinition } from '@openverbs/verbs/driver';

import { type DebugTopic, parseDebug } from '../debug/topics.ts';
import { PARTS } from '../parts.ts';
import type { PartName, ReplacedParts } from '../parts.ts';
import { modulePathOf, PROVIDER_PACKAGES } from '../provider-loader.ts';
import type { ProviderReference } from './config.ts';
import { parseRegistrationCache } from './registration-cache.ts';
import { unknownKey } from './unknown-key.ts';
import { SectionNames, Sections } from './sections.ts';
import { ENV_PREFIX, isRecord, variableOfKey } from './sources.ts';
import type { Setting, SettingsSource } from './sources.ts';

/** A provider and its checked configuration. */
export interface ConfiguredProvider {
  readonly definition: ProviderDefinition;
  readonly config: unknown;
}

/** What is left of the sources. */
export interface Configuration {
  readonly providers: readonly ConfiguredProvider[];
  readonly machine: unknown;
  readonly use: ReplacedParts;
  /** What is printed to stderr. */
  readonly debug: readonly DebugTopic[];
  /** Undefined when it is off. */
  readonly registrationCache: RegistrationCacheOps | undefined;
  /** A provider that another one stands on, with its own section. */
  readonly lower: (name: string) => LowerProvider;
}

const PROVIDER_KEYS = ['provider', 'providers'];
/** Keys whose values are objects of the program. */
const OBJECT_KEYS = ['machine', 'use'];
/** What is printed. */
const DEBUG_KEY = 'debug';
/** Whether memory regions are kept. */
const CACHE_KEY = 'registrationCache';
/** Keys that every source takes. */
const FIXED_KEYS = [...PROVIDER_KEYS, DEBUG_KEY, CACHE_KEY];

/**
 * Merges `sources`, in order of precedence. `load` brings the definition of a provider; it is called for the providers of the
 * first source that names any.
 *
 * @throws VerbsError EINVAL for an unknown key, with the nearest valid one and the source.
 */
export function configure(
  sources: readonly SettingsSource[],
  load: (reference: ProviderReference) => ProviderDefinition,
): Configuration {
  const choosing = sources.findIndex(({ settings }) =>
    settings.some((setting) => PROVIDER_KEYS.includes(keyOf(setting))),
  );
  const references = choosing < 0 ? (['emulated'] as const) : chosenProviders(sources[choosing]);
  const variants = references.map(splitVariant);
  const definitions = variants.map(({ reference }) => load(reference));
  refuseTwins(definitions);

  const names = new SectionNames(definitions);
  const sections = new Sections(names);
  for (const [index, { mode }] of variants.entries()) {
    if (mode !== undefined) sections.preset(definitions[index].name, 'mode', mode);
  }
  let machine: unknown;
  let use: ReplacedParts = {};
  let debug: readonly DebugTopic[] | undefined;
  let cache: Setting | undefined;
  for (const [index, source] of sources.entries()) {
    for (const setting of source.settings) {
      const key = keyOf(setting);
      if (PROVIDER_KEYS.includes(key)) continue;
      if (key === DEBUG_KEY) debug ??= parseDebug(setting);
      else if (key === CACHE_KEY) cache ??= setting;
      else if (OBJECT_KEYS.includes(key)) {
        if (source.kind !== 'argument') throw onlyAsArgument(setting);
        if (key === 'machine') machine = setting.value;
        else use = checkedParts(setting);
      } else if (!sections.place(setting)) {
        // A source whose providers were overruled can hold the settings of a provider that is not loaded this time.
        const overruled = index > choosing && choosing >= 0 && namesProviders(source);
        if (!overruled) throw unknownKey(setting.name, setting.origin, validKeys(setting, source, names));
      }
    }
  }
  if (machine !== undefined) refuseMachineSettings(definitions.flatMap((definition) => sections.ofMachine(definition)));
  const providers = definitions.map((definition) => ({ definition, config: sections.parse(definition) }));
  const registrationCache = cache === undefined ? undefined : parseRegistrationCache(cache);
  const lower = (name: string): LowerProvider => {
    const definition = load(name);
    return { definition, config: sections.parse(definition), modulePath: modulePathOf(name) };
  };
  return { providers, machine, use, debug: debug ?? [], registrationCache, lower };
}

/** `xen:basic` is the provider `xen` with the mode `basic`: only names that OpenVerbs knows can be followed by a mode. */
function splitVariant(reference: ProviderReference): { reference: ProviderReference; mode?: string } {
  if (typeof reference !== 'string') return { reference };
  const [name, mode, ...more] = reference.split(':');
  if (mode === undefined || more.length > 0 || !Object.hasOwn(PROVIDER_PACKAGES, name)) return { reference };
  return { reference: name, mode };
}

/** They would be left out: the machine that is joined is what it is. */
function refuseMachineSettings(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new VerbsError({
    code: 'EINVAL',
    verb: 'openVerbs',
    message: `a machine is joined, so ${names.join(', ')} can't be set: it was made with its own`,
    hint: 'give them to the openVerbs() that makes the machine',
    details: { invalid: names },
  });
}

/** The key that a setting means if it is one of the fixed ones. */
function keyOf({ name }: Setting): string {
  return FIXED_KEYS.concat(OBJECT_KEYS).find((key) => variableOfKey(key) === name) ?? name;
}

function namesProviders(source: SettingsSource): boolean {
  return source.settings.some((setting) => PROVIDER_KEYS.includes(keyOf(setting)));
}

function chosenProviders(source: SettingsSource): readonly ProviderReference[] {
  const named = source.settings.filter((setting) => PROVIDER_KEYS.includes(keyOf(setting)));
  if (named.length > 1) {
    const both = named.map(({ name }) => `'${name}'`).join(' and ');
    throw invalid(`${both} are both set in ${named[0].origin}`, 'keep one of them', named[0]);
  }
  const [setting] = named;
  const list = keyOf(setting) === 'provider' ? [setting.value] : listOf(setting.value);
  if (list.length > 0 && list.every(isReference)) return list;
  throw invalid(
    `'${setting.name}' in ${setting.origin} does not name ${keyOf(setting) === 'provider' ? 'a provider' : 'providers'}`,
    "a provider is 'emulated', 'xen', 'native', a package, a path, or what a provider's package exports as `provider`",
    setting,
  );
}

function listOf(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value.split(',').map((name) => name.trim());
  return Array.isArray(value) ? value : [];
}

function isReference(value: unknown): value is ProviderReference {
  return typeof value === 'string' ? value !== '' : isRecord(value);
}

/** Two providers of one name would share a section, and nobody could tell their devices apart. */
function refuseTwins(definitions: readonly ProviderDefinition[]): void {
  const names = definitions.map(({ name }) => name);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin === undefined) return;
  const message = `provider '${twin}' is named twice`;
  const hint =
    twin === 'xen'
      ? "each guest can have a mode of its own: { provider: 'xen', xen: { guests: [{ mode: 'basic' }, { mode: 'bypass' }] } }"
      : 'name it once: its settings say how many devices it has';
  throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint, details: { provider: twin } });
}

function checkedParts(setting: Setting): ReplacedParts {
  if (!isRecord(setting.value)) throw invalid(`'use' in ${setting.origin} is not an object`, '', setting);
  const valid = Object.keys(PARTS);
  for (const [key, part] of Object.entries(setting.value)) {
    if (!valid.includes(key)) throw unknownKey(key, `'use' of ${setting.origin}`, valid);
    if (part === undefined) continue;
    const { methods } = PARTS[key as PartName];
    if (!isRecord(part)) throw invalid(`'use.${key}' is not an object`, hintOf(methods), setting);
    const lacking = methods.find((method) => typeof part[method] !== 'function');
    if (lacking !== undefined) throw invalid(`'use.${key}' has no method '${lacking}'`, hintOf(methods), setting);
  }
  return setting.value;
}

function hintOf(methods: readonly string[]): string {
  return `it needs ${methods.map((method) => `${method}()`).join(' and ')}`;
}

function onlyAsArgument(setting: Setting): VerbsError {
  const message = `'${setting.name}' in ${setting.origin} holds an object of the program, so only openVerbs() takes it`;
  return invalid(message, `pass it as openVerbs({ ${keyOf(setting)} })`, setting);
}

/** What could have stood in the place of an unknown key, spelled as its source spells keys. */
function validKeys(setting: Setting, { kind }: SettingsSource, names: SectionNames): string[] {
  if (kind === 'argument') return [...FIXED_KEYS, ...OBJECT_KEYS, ...names.all];
  if (!setting.name.startsWith(ENV_PREFIX)) return [...FIXED_KEYS, ...names.all];
  return [...FIXED_KEYS.map(variableOfKey), ...names.variablesLike(setting.name)];
}

function invalid(message: string, hint: string, { name, origin }: Setting): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint, details: { key: name, origin } });
}
