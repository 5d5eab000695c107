import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}
interface TsConfig {
  references?: { path: string }[];
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** JSON in which lines may be comments, as in a tsconfig.json. */
const read = (file: string): unknown => JSON.parse(readFileSync(root + file, 'utf8').replace(/^\s*\/\/.*$/gm, ''));
const packages = readdirSync(`${root}packages`).map((name) => `packages/${name}`);
const workspaces = [...packages, 'docs', 'examples', 'test'].filter((dir) => existsSync(`${root}${dir}/package.json`));
const manifests = new Map(workspaces.map((dir) => [dir, read(`${dir}/package.json`) as Manifest]));
const directories = new Map([...manifests].map(([dir, { name }]) => [name, dir]));

/** The folder that a reference of `dir` leads to. */
function resolve(dir: string, reference: string): string {
  const url = new URL(reference, `file:///${dir}/`);
  return url.pathname.slice(1);
}

/** The packages of this repository that the TypeScript files under `dir` import. */
function importsOf(dir: string): Set<string> {
  const found = new Set<string>();
  if (!existsSync(root + dir)) return found;
  for (const entry of readdirSync(root + dir, { withFileTypes: true })) {
    const path = `${dir}/${entry.name}`;
    // What is made and not written: docs/api is the reference, with copies of examples that its pages lead to.
    if (entry.name === 'dist' || entry.name === 'node_modules' || path === 'docs/api') continue;
    if (entry.isDirectory()) for (const name of importsOf(path)) found.add(name);
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const imports = /^(?:import|export|\} from) .*?'(@openverbs\/[^/']+|openverbs)(?:\/[^']*)?';$/gm;
    for (const [, name] of readFileSync(root + path, 'utf8').matchAll(imports)) found.add(name);
  }
  return found;
}

describe('manifests', () => {
  for (const [dir, manifest] of manifests) {
    const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = manifest;
    const declared = { ...devDependencies, ...peerDependencies, ...dependencies };
    const own = Object.keys(declared).filter((name) => directories.has(name));

    it(`${manifest.name} references what it depends on`, () => {
      const { references = [] } = read(`${dir}/tsconfig.json`) as TsConfig;
      const expected = own.map((name) => directories.get(name));
      expect(references.map(({ path }) => resolve(dir, path))).to.have.members(expected);
    });

    it(`${manifest.name} declares what it imports`, () => {
      const installed = new Set([manifest.name, ...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
      const missing = [...importsOf(`${dir}/src`)].filter((name) => !installed.has(name));
      expect(missing, 'imported by src').to.deep.equal([]);
      const missingInTests = [...importsOf(dir)].filter((name) => name !== manifest.name && !(name in declared));
      expect(missingInTests, 'imported by tests').to.deep.equal([]);
    });

    it(`${manifest.name} has the one version, and asks for it`, () => {
      const { version } = read('lerna.json') as { version: string };
      expect(manifest.version).to.equal(version);
      for (const name of own) expect(declared[name], name).to.equal(version);
      for (const name of Object.keys(peerDependencies))
        expect(devDependencies, 'devDependencies').to.have.property(name);
    });
  }

  it('are all built', () => {
    const { references = [] } = read('tsconfig.json') as TsConfig;
    expect(references.map(({ path }) => path)).to.have.members(workspaces);
  });
});
