/** Whole programs, each in a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { DRIVER_ABI } from '@openverbs/verbs/driver';
import { expect } from 'chai';

const LIST_DEVICES = fileURLToPath(new URL('./programs/list-devices.js', import.meta.url));

const ACME = `export const provider = {
  name: 'acme',
  driverAbi: ${DRIVER_ABI},
  parseConfig: (value) => value,
  open: (environment, { names }) => ({
    devices: names.map((name) => ({ name, guid: 1n, nodeType: 1, transportType: 0, capabilities: { version: 1, supports: {} } })),
    machine: undefined,
    close() {},
  }),
};`;

describe('a program', () => {
  let directory: string;

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'openverbs-')));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function listDevices(env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string; status: unknown }> {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(OPENVERBS_|NODE_)/.test(name));
    const options = { cwd: directory, env: { ...Object.fromEntries(inherited), ...env } };
    return new Promise((resolve) => {
      execFile(process.execPath, [LIST_DEVICES], options, (error, stdout, stderr) => {
        resolve({ stdout, stderr, status: error === null ? 0 : error.code });
      });
    });
  }

  it('gets the emulated provider without configuration, and no warning', async () => {
    const { stdout, stderr, status } = await listDevices();
    expect(stderr).to.equal('');
    expect(JSON.parse(stdout)).to.deep.equal({ devices: ['emulated0'], providers: ['emulated'] });
    expect(status).to.equal(0);
  });

  it('is configured by a file and by the environment, and loads no other provider', async () => {
    writeFileSync(join(directory, 'acme.js'), ACME);
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    const config = { provider: './acme.js', acme: { names: ['acme0', 'acme1'] } };
    writeFileSync(join(directory, 'openverbs.config.json'), JSON.stringify(config));
    const [byFile, byBoth] = await Promise.all([listDevices(), listDevices({ OPENVERBS_ACME_NAMES: '["a"]' })]);
    expect(JSON.parse(byFile.stdout)).to.deep.equal({ devices: ['acme0', 'acme1'], providers: [] });
    expect(JSON.parse(byBoth.stdout)).to.deep.equal({ devices: ['a'], providers: [] });
  });

  it('is told what is wrong with its configuration', async () => {
    writeFileSync(join(directory, 'openverbs.config.json'), '{ "provder": "emulated" }');
    const { stderr, status } = await listDevices();
    expect(stderr).to.contain("unknown key 'provder'").and.contain("did you mean 'provider'?");
    expect(stderr).to.contain(join(directory, 'openverbs.config.json'));
    expect(status).not.to.equal(0);
  });
});
