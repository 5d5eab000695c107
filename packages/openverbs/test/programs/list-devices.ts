/** Prints the devices, and which providers' code was loaded for them. */
import { Session } from 'node:inspector';

import { openVerbs } from '../../src/index.ts';

const scripts: string[] = [];
const session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({ params }) => scripts.push(params.url));
session.post('Debugger.enable');

using verbs = openVerbs();
const devices = verbs.devices.map(({ name }) => name);
const providers = ['emulated', 'xen', 'native'].filter((name) =>
  scripts.some((url) => url.includes(`provider-${name}`)),
);
console.log(JSON.stringify({ devices, providers }));
session.disconnect();
