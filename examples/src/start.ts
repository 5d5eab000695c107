/** What `npm start` runs: shows in a few seconds that RDMA works on this machine, whatever is built into it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Device, VerbsError, openVerbs } from 'openverbs';
import { copyFile } from './rcopy/copy-file.ts';
import { interruptible } from './rcopy/interruptible.ts';
import { createProgressBar } from './rcopy/progress-bar.ts';
import { describeDevices } from './start/devices.ts';
import { findLargeFile } from './start/large-file.ts';
import { timePingPongs } from './start/ping-pong-table.ts';
import { formatBytes, formatRate } from './text.ts';

const NEXT = `Try next
  npx ibv_devinfo -v                      what the device can do
  npx ibv_rc_pingpong --self --threads 2  the same ping-pong, a thread for each end
  node examples/dist/src/rcopy.js FILE    copy a file of yours
  examples/src/first.ts                   the shortest program
  npm test                                everything that is promised, checked
`;

async function main(): Promise<void> {
  using verbs = openVerbs();
  const device = verbs.device();
  print(`Devices\n${describeDevices(verbs.devices)}\n\n`);
  await interruptible((signal) => copyLargeFile(device, signal));
  print(`Ping-pong: RC SEND, both ends on this thread\n${timePingPongs(device)}\n\n`);
  print(NEXT);
}

async function copyLargeFile(device: Device, signal: AbortSignal): Promise<void> {
  const source = findLargeFile();
  const directory = await mkdtemp(join(tmpdir(), 'openverbs-'));
  const bar = createProgressBar();
  try {
    print(`Copy of ${source} by RDMA WRITE\n`);
    const { bytes, seconds, writes, sha256 } = await copyFile(device, source, directory, { ...bar, signal });
    bar.stop();
    print(`  ${formatBytes(bytes)} in ${seconds.toFixed(2)} s, ${formatRate(bytes, seconds)}, ${writes} writes\n`);
    print(`  sha256 match ${sha256}\n\n`);
  } finally {
    bar.stop();
    await rm(directory, { recursive: true });
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

main().catch((error: Error) => {
  process.stderr.write(`npm start: ${error.message}\n`);
  if (VerbsError.is(error) && error.hint) process.stderr.write(`hint: ${error.hint}\n`);
  process.exitCode = 1;
});
