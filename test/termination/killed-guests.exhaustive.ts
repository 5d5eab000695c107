/** As many as it takes for some to die at each of the moments that matter. */
import { describeKilledGuests } from './killed-guests.ts';

// With the device inline the dead may have executed it themselves.
describeKilledGuests({ dom0: 'thread', device: 'inline', main: 'in its event loop' }, 60);
for (const dom0 of ['inline', 'thread'] as const) {
  for (const device of ['inline', 'thread'] as const) {
    describeKilledGuests({ dom0, device, main: 'in its event loop' }, 10);
    describeKilledGuests({ dom0, device, main: dom0 === device ? 'in one verb' : 'in verbs' }, 10);
  }
}
