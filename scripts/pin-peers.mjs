// Part of a release: `lerna version` leaves peer dependencies as they are, but all packages share one version. It runs this
// when the versions are written and nothing is committed yet (the lifecycle script `version` of the root).

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { version } = JSON.parse(fs.readFileSync('lerna.json', 'utf8'));
const files = fs.readdirSync('packages').map((name) => `packages/${name}/package.json`);
const manifests = new Map(files.map((file) => [file, JSON.parse(fs.readFileSync(file, 'utf8'))]));
const names = new Set([...manifests.values()].map(({ name }) => name));

for (const [file, manifest] of manifests) {
  for (const name of Object.keys(manifest.peerDependencies ?? {})) {
    if (names.has(name)) manifest.peerDependencies[name] = version;
  }
  fs.writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
const shell = process.platform === 'win32';
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], { stdio: 'inherit', shell });
execFileSync('git', ['add', 'package-lock.json', ...files], { stdio: 'inherit' });
