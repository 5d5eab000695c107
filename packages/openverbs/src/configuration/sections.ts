/** The providers' sections of the configuration, merged key by key. */
import { VerbsError } from '@openverbs/verbs';
import { nearestKey } from '@openverbs/verbs/driver';
import type { ProviderDefinition } from '@openverbs/verbs/driver';

import { PROVIDER_PACKAGES } from '../provider-loader.ts';
import { ARGUMENT_ORIGIN, ENV_PREFIX, isRecord } from './sources.ts';
import type { Setting } from './sources.ts';

/** Which sections a configuration can have: those of the known providers, loaded or not, and of the loaded ones. */
export class SectionNames {
  readonly all: readonly string[];

  constructor(definitions: readonly ProviderDefinition[]) {
    this.all = [...new Set([...Object.keys(PROVIDER_PACKAGES), ...definitions.map(({ name }) => name)])];
  }

  /** Splits a variable's name into section and key: `OPENVERBS_EMULATED_MEMORY_BYTES` is `emulated`, `memoryBytes`. */
  ofVariable(name: string): { readonly section: string; readonly key: string } | undefined {
    for (const section of this.all) {
      const prefix = `${variableOf(section)}_`;
      if (name.startsWith(prefix)) return { section, key: camelCase(name.slice(prefix.length)) };
      if (`${name}_` === prefix) return { section, key: '' };
    }
    return undefined;
  }

  /** For each section, the variable that `name` would be if it meant this section. */
  variablesLike(name: string): string[] {
    return this.all.map((section) => {
      const variable = variableOf(section);
      const words = variable.split('_').length;
      return [variable, ...name.split('_').slice(words)].join('_');
    });
  }
}

/** The settings of all sections. What is placed first wins. */
export class Sections {
  readonly #names: SectionNames;
  readonly #settings = new Map<string, Map<string, Setting>>();

  constructor(names: SectionNames) {
    this.#names = names;
  }

  /** Takes a setting of a section; false if it belongs to none. */
  place(setting: Setting): boolean {
    if (!setting.name.startsWith(ENV_PREFIX)) {
      if (!this.#names.all.includes(setting.name)) return false;
      this.#placeWhole(setting.name, setting);
      return true;
    }
    const place = this.#names.ofVariable(setting.name);
    if (place === undefined) return false;
    if (place.key === '') this.#placeWhole(place.section, setting);
    else this.#placeKey(place.section, place.key, setting);
    return true;
  }

  /** Sets a key as the provider's name says it. */
  preset(section: string, key: string, value: string): void {
    this.#placeKey(section, key, { name: `${section}:${value}`, origin: "the provider's name", value });
  }

  /** What `definition` makes of its section. An error that it throws is told where the key came from. */
  parse(definition: ProviderDefinition): unknown {
    const settings = this.#settings.get(definition.name) ?? new Map<string, Setting>();
    const section = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
    try {
      return definition.parseConfig(section);
    } catch (error) {
      throw VerbsError.is(error) ? withOrigin(error, settings) : error;
    }
  }

  /** Settings of the argument that a machine which is joined has already. Those of the environment and the file are for all threads. */
  ofMachine({ name, machineKeys = [] }: ProviderDefinition): string[] {
    const settings = [...(this.#settings.get(name) ?? [])];
    const given = settings.filter(([key, { origin }]) => origin === ARGUMENT_ORIGIN && machineKeys.includes(key));
    return given.map(([, setting]) => setting.name);
  }

  #placeWhole(section: string, setting: Setting): void {
    if (!isRecord(setting.value)) {
      const message = `'${setting.name}' in ${setting.origin} holds the settings of provider '${section}', so it must be an object`;
      throw new VerbsError({
        code: 'EINVAL',
        verb: 'openVerbs',
        message,
        details: { key: setting.name, origin: setting.origin },
      });
    }
    for (const [key, value] of Object.entries(setting.value)) {
      if (value !== undefined)
        this.#placeKey(section, key, { name: `${setting.name}.${key}`, origin: setting.origin, value });
    }
  }

  #placeKey(section: string, key: string, setting: Setting): void {
    let settings = this.#settings.get(section);
    if (settings === undefined) this.#settings.set(section, (settings = new Map<string, Setting>()));
    if (!settings.has(key)) settings.set(key, setting);
  }
}

/** Adds where the key came from that `error` is about, and the key that it may have meant. */
function withOrigin(error: VerbsError, settings: ReadonlyMap<string, Setting>): VerbsError {
  const { code, message, hint, details } = error;
  const about = details?.['key'];
  // A provider that names no key in its details names it in its message.
  const entries = [...settings];
  const found = entries.find(([key]) => key === about) ?? entries.find(([key]) => namesKey(message, key));
  if (found === undefined) return error;
  const [key, { name, origin }] = found;
  const valid = details?.['valid'];
  // What is unknown may be a key within the setting.
  const unknown = typeof about === 'string' ? about : key;
  const nearest = Array.isArray(valid) ? nearestKey(unknown, valid as string[]) : undefined;
  const meant = nearest === undefined || nearest === unknown ? '' : `; did you mean '${nearest}'?`;
  return new VerbsError({
    code,
    verb: 'openVerbs',
    message: `${message} ('${name}' in ${origin})${meant}`,
    hint,
    details: { ...details, key, origin, nearest },
    cause: error,
  });
}

function namesKey(message: string, key: string): boolean {
  return message.split(/[^\w-]+/).includes(key);
}

function variableOf(section: string): string {
  return ENV_PREFIX + section.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}

function camelCase(snake: string): string {
  return snake.toLowerCase().replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
