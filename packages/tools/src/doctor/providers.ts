/** Which providers can be loaded, and what they say of this machine. */
import { PROVIDER_PACKAGES, checkSettings, loadProvider } from 'openverbs';
import { VerbsError } from '@openverbs/verbs';
import type { ProviderFinding } from '@openverbs/verbs/driver';
import { type FindingGroup, fine, wrong } from './finding.ts';

/** One group a provider: the one that was asked for, or all that have a short name. */
export function checkProviders(wanted: string | undefined): FindingGroup[] {
  const names = wanted === undefined ? Object.keys(PROVIDER_PACKAGES) : [wanted];
  return names.map((name) => ({ title: `Provider ${name}`, findings: checkProvider(name, wanted !== undefined) }));
}

function checkProvider(name: string, isWanted: boolean): ProviderFinding[] {
  const check = 'package';
  const packageName = PROVIDER_PACKAGES[name] ?? name;
  try {
    const provider = loadProvider(name);
    return [fine(check, `${packageName} loads`), settingsOf(name), ...(provider.diagnose?.() ?? [])];
  } catch (error) {
    // One that nobody asked for may be absent.
    if (!isWanted && VerbsError.is(error) && error.code === 'ENOENT') return [fine(check, 'not installed')];
    return [wrong(check, (error as Error).message, VerbsError.is(error) ? error.hint : '')];
  }
}

/** What the environment and the file say to a provider, also to one that they don't choose. */
function settingsOf(name: string): ProviderFinding {
  const check = 'settings';
  try {
    checkSettings(name);
    return fine(check, 'are understood');
  } catch (error) {
    return wrong(check, (error as Error).message, VerbsError.is(error) ? error.hint : '');
  }
}
