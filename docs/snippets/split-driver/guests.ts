import { formatGuests, sampleGuests } from '@openverbs/tools';
import { AccessFlags, openVerbs } from 'openverbs';

using verbs = openVerbs({ provider: 'xen', xen: { guests: [{ name: 'db', mode: 'basic' }, { name: 'web' }] } });
const before = sampleGuests(verbs);

using context = verbs.device('vib1.0').open();
context.allocPd().regMr(context.allocBuf(65536), AccessFlags.LOCAL_WRITE);

// The rates are those since `before`.
console.log(formatGuests(sampleGuests(verbs), before));
// For programs: the same counters as data.
for (const { name, ringRequests, backend } of verbs.guests()) console.log(name, ringRequests, backend?.pagesRegistered);
