/** A guest whose peers are on the native path, as in the paper's asymmetric set-up, and the other way round. */
import type { ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';
import { subjectOf, xenDeviations, xenInlineDeviations } from './xen.ts';
import type { XenMode } from './xen.ts';

/** Which of the two is tested; the other one has the far ends of its connections. */
export type Tested = 'guest' | 'native';

const APART =
  'the other device has other memory: that of a guest is at addresses of its own, and no other program can name it';

/** Two HCAs: one that the device domain shares, one that programs beside it have. Both providers are opened by one `openVerbs()`. */
export function nativePeerSubject(mode: XenMode, dom0: 'inline' | 'thread', tested: Tested): ConformanceSubject {
  const of = tested === 'guest' ? 'a guest of' : 'a native device beside';
  const open = (): ReturnType<ConformanceSubject['open']> => {
    const verbs = openVerbs({
      providers: ['emulated', `xen:${mode}`],
      xen: { placement: dom0 },
      emulated: { devices, placement: 'inline' },
    });
    const session = { ...sessionOf(verbs), ...(tested === 'guest' && dom0 === 'inline' && { join: undefined }) };
    const [native, guest] = [verbs.device('emulated1'), verbs.device('vib1.0')];
    return { ...session, devices: tested === 'guest' ? [guest, native] : [native, guest] };
  };
  const name = `${of} xen:${mode}, device domain ${dom0}`;
  if (tested === 'guest')
    return { ...subjectOf(mode, name, open), deviations: dom0 === 'inline' ? xenInlineDeviations : xenDeviations };
  return {
    name,
    open,
    capabilities,
    deviations: { ...deviations, 'mr › registers a buffer of another context, and of another device': APART },
  };
}
