/** A few; the many, in every mix of placements, are in killed-guests.exhaustive.ts. */
import { describeKilledGuests } from './killed-guests.ts';

describeKilledGuests({ dom0: 'thread', device: 'thread', main: 'in one verb' }, 2);
