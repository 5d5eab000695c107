/**
 * Where settings come from: the argument, the environment, the file. Each source is a list of settings that remember their
 * origin, so that an error can name it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { VerbsError } from '@openverbs/verbs';

/** What messages call the argument. */
export const ARGUMENT_ORIGIN = 'the argument of openVerbs()';
/** The file that is looked up in the current directory. */
export const CONFIG_FILE = 'openverbs.config.json';
const FILE_EXAMPLE = '{ "provider": "emulated", "emulated": { "devices": 2 } }';
const FILE_HINT = `it is strict JSON, without comments and trailing commas: ${FILE_EXAMPLE}`;
/** How the name of a variable begins. */
export const ENV_PREFIX = 'OPENVERBS_';
/** Variables that begin so are left to test programs. */
const ENV_PREFIX_TEST = 'OPENVERBS_TEST_';

/** One value, as its source gives it. */
export interface Setting {
  /** Spelled as in the source: `provider`, or `OPENVERBS_PROVIDER`. */
  readonly name: string;
  /** In words, for messages. */
  readonly origin: string;
  readonly value: unknown;
}

/** What one source says, before it is known which keys are valid. */
export interface SettingsSource {
  readonly kind: 'argument' | 'environment' | 'file';
  readonly settings: readonly Setting[];
}

/** The argument of `openVerbs()`. */
export function argumentSettings(config: unknown): SettingsSource {
  if (!isRecord(config)) {
    const hint = "for example openVerbs({ provider: 'emulated' })";
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message: 'the argument is not an object', hint });
  }
  return { kind: 'argument', settings: settingsOf(config, ARGUMENT_ORIGIN) };
}

/**
 * The variables that begin with `OPENVERBS_`. A value that is JSON stands for what it spells (a number, a boolean, a list),
 * any other one for itself; an empty one counts as unset.
 */
export function environmentSettings(env: Readonly<Record<string, string | undefined>>): SettingsSource {
  const settings: Setting[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(ENV_PREFIX) || name.startsWith(ENV_PREFIX_TEST) || !value) continue;
    settings.push({ name, origin: 'the environment', value: jsonOrString(value) });
  }
  return { kind: 'environment', settings };
}

/** `openverbs.config.json` in `directory`; nothing if there is none. */
export function fileSettings(directory: string): SettingsSource {
  const path = join(directory, CONFIG_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'file', settings: [] };
    throw unreadable(path, cause as NodeJS.ErrnoException);
  }
  return { kind: 'file', settings: settingsOf(parseFile(path, text), path) };
}

/** The variable that stands for `key`: `registrationCache` is `OPENVERBS_REGISTRATION_CACHE`. */
export function variableOfKey(key: string): string {
  return ENV_PREFIX + key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Whether `value` is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(path: string, cause: NodeJS.ErrnoException): VerbsError {
  const isDirectory = cause.code === 'EISDIR';
  return new VerbsError({
    code: isDirectory ? 'EINVAL' : 'EACCES',
    verb: 'openVerbs',
    message: `cannot read ${path}: ${isDirectory ? 'it is a directory' : cause.message}`,
    hint: isDirectory ? `the configuration is a file: ${FILE_EXAMPLE}` : 'make it readable, or remove it',
    cause,
  });
}

function parseFile(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `${path} is not JSON: ${(cause as SyntaxError).message}`;
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint: FILE_HINT, cause });
  }
  if (isRecord(value)) return value;
  throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message: `${path} must hold an object`, hint: FILE_HINT });
}

function settingsOf(object: Record<string, unknown>, origin: string): Setting[] {
  const entries = Object.entries(object);
  return entries.filter(([, value]) => value !== undefined).map(([name, value]) => ({ name, origin, value }));
}

function jsonOrString(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
