/** As many as it takes for some to die at each of the moments that matter. */
import { describeKilledGuests } from './killed-guests.ts';

// With the device inline the dead may have executed it themselves.
describeKilledGuests({ dom0: 'thread', device: 'inline' }, 200);
describeKilledGuests({ dom0: 'thread', device: 'thread' }, 50);
describeKilledGuests({ dom0: 'inline', device: 'inline' }, 50);
describeKilledGuests({ dom0: 'inline', device: 'thread' }, 20);
