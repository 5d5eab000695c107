/** The configuration, as a program writes it. */
import type { EmulatedConfig, EmulatedDeviceSettings } from '@openverbs/provider-emulated';
import type { RegistrationCacheLimits } from '@openverbs/registration-cache';
import type { XenSettings } from '@openverbs/provider-xen';
import type { ProviderDefinition } from '@openverbs/verbs/driver';

import type { DebugTopic } from '../debug/topics.ts';
import type { ReplacedParts } from '../parts.ts';

/** A provider: one of the names that OpenVerbs knows, a package, a path, or the definition itself. */
export type ProviderReference =
  'emulated' | 'xen' | 'xen:basic' | 'xen:bypass' | 'native' | (string & {}) | ProviderDefinition;

/** Settings of the emulated HCA. What is left out has the default that `EmulatedConfig` names. */
export interface EmulatedSettings extends Partial<Omit<EmulatedConfig, 'devices'>> {
  /** How many devices, or which. */
  readonly devices?: number | readonly EmulatedDeviceSettings[];
}

/**
 * The providers' own settings, by the provider's name. A provider from elsewhere adds its own by declaration merging:
 *
 * ```ts
 * declare module 'openverbs' {
 *   interface ProviderSections {
 *     acme?: { readonly slots?: number };
 *   }
 * }
 * ```
 */
export interface ProviderSections {
  /** Settings of the emulated HCA. */
  readonly emulated?: EmulatedSettings;
  /** Settings of the Xen split driver. */
  readonly xen?: XenSettings;
  /** Settings of the native provider. */
  readonly native?: Readonly<Record<string, unknown>>;
}

/**
 * What `openVerbs()` takes.
 *
 * Each key is looked up in the argument first, then in the environment, then in `openverbs.config.json` of the current
 * directory; the settings of a provider are merged key by key. In the environment, `OPENVERBS_PROVIDER` is `provider`,
 * `OPENVERBS_PROVIDERS` is `providers` separated by commas, `OPENVERBS_REGISTRATION_CACHE` is `registrationCache`, and
 * `OPENVERBS_EMULATED_PLACEMENT` is `emulated.placement`.
 * `machine` and `use` hold objects, so only the argument takes them.
 */
export interface OpenVerbsConfig extends ProviderSections {
  /**
   * The provider to load: `'emulated'`, `'xen'` (or `'xen:basic'`, `'xen:bypass'`), `'native'`, the name of a package or a path, both resolved from the current
   * directory, or a provider's definition.
   *
   * @defaultValue `'emulated'`
   */
  readonly provider?: ProviderReference;
  /** Several providers; their devices are listed in this order. Instead of `provider`. */
  readonly providers?: readonly ProviderReference[];
  /**
   * What is printed to stderr, one line each: topics separated by commas, or a list. `verbs`, `posts`, `polls`, `events`, `packets`,
   * which has messages travel as such, `hca` and `xen`; see `docs/tracing.md`.
   */
  readonly debug?: string | readonly DebugTopic[];
  /**
   * Whether regions that were deregistered are kept for whoever registers the same memory again, and how many. The keys of a region that is
   * kept still work, so leave it off where `mr.dereg()` has to shut peers out.
   *
   * @defaultValue `false`
   */
  readonly registrationCache?: boolean | Partial<RegistrationCacheLimits>;
  /** Joins the devices of another thread: the `machine` of its `openVerbs()`, which a message to a worker can carry. Never undefined or null. */
  readonly machine?: unknown;
  /** Replaces parts. */
  readonly use?: ReplacedParts;
}
