/** A second thread that joins the machine of the first one and tells what it finds there. */
import { parentPort, workerData } from 'node:worker_threads';

import { openVerbs } from '../../src/index.ts';

using verbs = openVerbs({ machine: workerData as unknown });
using context = verbs.device().open();
const { nodeGuid } = context.queryDevice();
parentPort!.postMessage({ devices: verbs.devices.map(({ name }) => name), nodeGuid });
