/** `openVerbs()`: reads the configuration, loads the providers and puts them together with the parts. */
import type { RegistrationCacheOps } from '@openverbs/registration-cache';
import { VerbsError } from '@openverbs/verbs';
import type { CqePollerOps, EventDispatcherOps, ProviderClock, ProviderPrng } from '@openverbs/verbs/driver';

import type { OpenVerbsConfig, ProviderReference } from './configuration/config.ts';
import { configure } from './configuration/configuration.ts';
import type { Configuration } from './configuration/configuration.ts';
import { argumentSettings, environmentSettings, fileSettings, isRecord } from './configuration/sources.ts';
import { inject, injectable, resolveWith } from './container.ts';
import { printLine, printTopics } from './debug/print.ts';
import { tellOpened } from './instance-channels.ts';
import { closeAll, OpenVerbs } from './open-verbs.ts';
import type { OpenedProvider } from './open-verbs.ts';
import { PARTS } from './parts.ts';
import { loadProvider } from './provider-loader.ts';

/** Opens providers with the parts that the container gives. */
@injectable()
class Composition {
  readonly #eventDispatcher: EventDispatcherOps;
  readonly #clock: ProviderClock | undefined;
  readonly #prng: ProviderPrng | undefined;
  readonly #registrationCache: RegistrationCacheOps | undefined;
  readonly #cqePoller: CqePollerOps;

  constructor(
    @inject(PARTS.eventDispatcher.token) eventDispatcher: EventDispatcherOps,
    @inject(PARTS.clock.token) clock: ProviderClock | undefined,
    @inject(PARTS.prng.token) prng: ProviderPrng | undefined,
    @inject(PARTS.registrationCache.token) registrationCache: RegistrationCacheOps | undefined,
    @inject(PARTS.cqePoller.token) cqePoller: CqePollerOps,
  ) {
    this.#eventDispatcher = eventDispatcher;
    this.#clock = clock;
    this.#prng = prng;
    this.#registrationCache = registrationCache;
    this.#cqePoller = cqePoller;
  }

  open({ providers, machine, debug, lower }: Configuration): OpenVerbs {
    const opened: OpenedProvider[] = [];
    let verbs: OpenVerbs;
    // Before anything is opened: what is traced is decided there.
    const endPrinting = printTopics(debug);
    try {
      for (const { definition, config } of providers) {
        // Providers of one process share one machine: the one to join, or the one that the first of them makes.
        const shared = machine ?? opened.find(({ instance }) => instance.machine !== undefined)?.instance.machine;
        const parts = { clock: this.#clock, prng: this.#prng, cqePoller: this.#cqePoller };
        const environment = { machine: shared, ...parts, lower };
        opened.push({ name: definition.name, instance: definition.open(environment, config) });
      }
      if (debug.includes('packets')) tellOfMissingPackets(opened);
      verbs = new OpenVerbs(opened, this.#eventDispatcher, this.#registrationCache, endPrinting);
    } catch (error) {
      closeQuietly(opened);
      endPrinting();
      throw error;
    }
    return tellOpened(verbs);
  }
}

/**
 * Opens OpenVerbs: loads the configured providers and lists their devices. Without configuration that is the emulated HCA, so
 * no hardware is needed. Every call makes devices of its own, unless `machine` joins those of another one.
 *
 * @throws VerbsError EINVAL for a wrong configuration, a `machine` that is undefined included, ENOENT for a provider that is not installed.
 *
 * @example
 * ```ts
 * import { openVerbs } from 'openverbs';
 *
 * using verbs = openVerbs();
 * using context = verbs.device().open();
 * console.log(context.queryDevice());
 * ```
 */
export function openVerbs(config: OpenVerbsConfig = {}): OpenVerbs {
  refuseMissingMachine(config);
  const sources = [argumentSettings(config), environmentSettings(process.env), fileSettings(process.cwd())];
  const configuration = configure(sources, loadProvider);
  const { use } = configuration;
  const registrationCache = use.registrationCache ?? configuration.registrationCache;
  const parts = registrationCache === undefined ? use : { ...use, registrationCache };
  return resolveWith(parts, Composition).open(configuration);
}

/**
 * Reads what the environment and `openverbs.config.json` say to a provider, as `openVerbs({ provider })` does, and opens nothing: also for one
 * that the configuration does not choose, whose settings `openVerbs()` leaves unread.
 *
 * @throws VerbsError EINVAL for a setting that is wrong or unknown, ENOENT for a provider that is not installed.
 *
 * @example
 * ```ts
 * import { checkSettings } from 'openverbs';
 *
 * checkSettings('xen');
 * ```
 */
export function checkSettings(provider: ProviderReference): void {
  configure(
    [argumentSettings({ provider }), environmentSettings(process.env), fileSettings(process.cwd())],
    loadProvider,
  );
}

/** Who joins and got no handle would get devices of his own instead, whose peers are not there. */
function refuseMissingMachine(config: OpenVerbsConfig): void {
  if (!isRecord(config) || !('machine' in config) || config['machine'] != null) return;
  throw new VerbsError({
    code: 'EINVAL',
    verb: 'openVerbs',
    message: `machine is ${String(config['machine'])}: no handle came from the thread whose devices are to be joined`,
    hint: 'pass its openVerbs().machine by workerData or postMessage, or leave the key out for devices of your own',
    details: { key: 'machine' },
  });
}

/** Who wants to see packets may wonder where they are. */
function tellOfMissingPackets(providers: readonly OpenedProvider[]): void {
  const without = providers.find(({ name, instance }) => name === 'emulated' && instance.faults === undefined);
  if (without === undefined) return;
  const [seconds, nanoseconds] = process.hrtime();
  const text =
    'there are none, a message travels as one descriptor; leave emulated.packets out (OPENVERBS_EMULATED_PACKETS), or set it to true';
  printLine('packets', without.name, seconds * 1e9 + nanoseconds, text);
}

/** The error that made the opening fail is the one to tell. */
function closeQuietly(providers: readonly OpenedProvider[]): void {
  try {
    closeAll(providers);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
