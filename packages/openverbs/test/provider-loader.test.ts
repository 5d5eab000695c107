import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { DRIVER_ABI } from '@openverbs/verbs/driver';
import type { ProviderDefinition } from '@openverbs/verbs/driver';
import { expect } from 'chai';

import { loadProvider } from '../src/provider-loader.ts';
import { failure } from './failure.ts';
import { fakeProvider } from './fake-provider.ts';

const DEFINITION = `{ name: 'acme', driverAbi: ${DRIVER_ABI}, parseConfig: (value) => value, open() {} }`;

describe('loadProvider', () => {
  let directory: string;

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'openverbs-')));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }

  function writePackage(name: string, text: string): void {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', exports: './provider.js' }));
    write(`node_modules/${name}/provider.js`, text);
  }

  it('takes a definition as it is', () => {
    const { definition } = fakeProvider('fake');
    expect(loadProvider(definition)).to.equal(definition);
  });

  it('knows the emulated provider by its short name', () => {
    expect(loadProvider('emulated', directory).name).to.equal('emulated');
  });

  it('loads a package, by its export `provider` or its default', () => {
    writePackage('acme-nic', `export const provider = ${DEFINITION};`);
    writePackage('@acme/nic', `export default ${DEFINITION};`);
    expect(loadProvider('acme-nic', directory).name).to.equal('acme');
    expect(loadProvider('@acme/nic', directory).name).to.equal('acme');
  });

  it('loads a path, also one in CommonJS', () => {
    write('nic.mjs', `export const provider = ${DEFINITION};`);
    write('lib/nic.cjs', `exports.provider = ${DEFINITION};`);
    expect(loadProvider('./nic.mjs', directory).name).to.equal('acme');
    expect(loadProvider('./lib/nic.cjs', directory).name).to.equal('acme');
    expect(loadProvider(join(directory, 'nic.mjs'), '/').name).to.equal('acme');
  });

  it('finds a short name in the program as well', () => {
    writePackage('@openverbs/provider-xen', `export const provider = ${DEFINITION};`);
    // The one that comes with OpenVerbs, once there is one, or else the program's.
    expect(loadProvider('xen', directory).name).to.be.oneOf(['xen', 'acme']);
  });

  it('says how to get a package that is missing, and from where a path was looked up', () => {
    const missing = failure(() => loadProvider('acme-nic', directory));
    expect(missing.code).to.equal('ENOENT');
    expect(missing.message).to.contain("there is no provider 'acme-nic'").and.contain(directory);
    expect(missing.hint).to.equal(
      'those that come with OpenVerbs are emulated, xen:basic, xen:bypass; if it is a package, install it: npm install acme-nic',
    );
    expect(failure(() => loadProvider('./nic.mjs', directory)).hint).to.equal(
      'a path is relative to the current directory',
    );
  });

  it('does not send for a provider that is yet to come', () => {
    const missing = failure(() => loadProvider('native', directory));
    expect(missing.code).to.equal('ENOENT');
    expect(missing.hint).to.equal(
      'OpenVerbs has no such provider yet; those that come with OpenVerbs are emulated, xen:basic, xen:bypass',
    );
  });

  it('names the short name that a wrong one may mean', () => {
    expect(failure(() => loadProvider('emulatd', directory)).hint).to.contain("did you mean 'emulated'?");
  });

  it('tells why a package does not load', () => {
    writePackage('broken', 'throw new Error("no such device file");');
    writePackage('lacking', 'import "a-package-that-is-not-there";');
    writePackage('waiting', `export const provider = await Promise.resolve(${DEFINITION});`);
    const broken = failure(() => loadProvider('broken', directory));
    expect(broken.message).to.equal("openVerbs: provider 'broken' does not load: no such device file");
    expect(broken.cause).to.be.an('error');
    expect(failure(() => loadProvider('lacking', directory)).message).to.contain('a-package-that-is-not-there');
    expect(failure(() => loadProvider('waiting', directory)).hint).to.contain('top-level await');
    const onlyImport = JSON.stringify({ name: 'hidden', type: 'module', exports: { import: './provider.js' } });
    write('node_modules/hidden/package.json', onlyImport);
    write('node_modules/hidden/provider.js', '');
    expect(failure(() => loadProvider('hidden', directory)).hint).to.contain("under the condition 'default'");
  });

  it('refuses what is no provider', () => {
    writePackage('empty', 'export const something = 1;');
    const error = failure(() => loadProvider('empty', directory));
    expect(error.code).to.equal('EINVAL');
    expect(error.message).to.contain("provider 'empty' is not a provider: its 'name' is not a string");
    expect(error.hint).to.contain('defineProvider()');
    const noOpen = { name: 'x', driverAbi: DRIVER_ABI, parseConfig: () => 0 } as unknown as ProviderDefinition;
    expect(failure(() => loadProvider(noOpen)).message).to.contain("the given provider is not a provider: its 'open'");
  });

  it('refuses another version of the driver contract, and tells which side is the older one', () => {
    const { definition } = fakeProvider('fake');
    const withAbi = (driverAbi: number): ProviderDefinition => ({ ...definition, driverAbi: driverAbi as 1 });
    const older = failure(() => loadProvider(withAbi(DRIVER_ABI - 1)));
    expect(older.code).to.equal('EINVAL');
    expect(older.message).to.contain(
      `version ${DRIVER_ABI - 1} of the driver contract; this OpenVerbs has version ${DRIVER_ABI}`,
    );
    expect(older.hint).to.equal('the provider is the older one: update it');
    expect(failure(() => loadProvider(withAbi(DRIVER_ABI + 1))).hint).to.equal('openverbs is the older one: update it');
  });
});
