/** A few; the many, in every mix of placements, are in killed-guests.exhaustive.ts. */
import { describeKilledGuests } from './killed-guests.ts';

describeKilledGuests({ dom0: 'thread', device: 'inline' }, 5);
describeKilledGuests({ dom0: 'thread', device: 'thread' }, 5);
