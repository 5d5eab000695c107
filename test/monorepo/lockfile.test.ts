/** What is installed: the same on each platform, from any registry, and without a dependency's own code being run. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

interface Locked {
  resolved?: string;
  integrity?: string;
  link?: boolean;
  os?: string[];
  hasInstallScript?: boolean;
  optionalDependencies?: Record<string, string>;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = (file: string): string => readFileSync(root + file, 'utf8');
const { packages } = JSON.parse(text('package-lock.json')) as { packages: Record<string, Locked> };
const installed = Object.entries(packages).filter(([place, { link }]) => place.includes('node_modules/') && !link);

/** Where Node would look for `name` from a package at `place`, nearest first. */
function placesOf(name: string, place: string): string[] {
  const places = [`${place}/node_modules/${name}`];
  for (let at = place; at.includes('/node_modules/');) {
    at = at.slice(0, at.lastIndexOf('/node_modules/'));
    places.push(`${at}/node_modules/${name}`);
  }
  return [...places, `node_modules/${name}`];
}

describe('the lockfile', () => {
  it('names no registry, so that any may serve it, and says what has to be served', () => {
    expect(installed.length).to.be.above(100);
    expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([place]) => place)).to.deep.equal([]);
    expect(installed.filter(([, { integrity }]) => !integrity).map(([place]) => place)).to.deep.equal([]);
    expect(text('.npmrc').split('\n')).to.include.members([
      'omit-lockfile-registry-resolved=true',
      'fund=false',
      'audit=false',
    ]);
  });

  it('holds the optional packages of every platform', () => {
    const lost = installed.flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !placesOf(name, place).some((at) => at in packages))
        .map((name) => `${name} of ${place}`),
    );
    expect(lost).to.deep.equal([]);
    const systems = new Set(installed.flatMap(([, { os = [] }]) => os));
    expect([...systems]).to.include.members(['linux', 'darwin', 'win32']);
  });

  it('has no package whose install script is not denied', () => {
    const { allowScripts } = JSON.parse(text('package.json')) as { allowScripts: Record<string, boolean> };
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place);
    const names = scripted.map((place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length));
    expect(allowScripts).to.deep.equal(Object.fromEntries(names.map((name) => [name, false])));
  });
});

describe('nx', () => {
  it('has neither daemon nor cloud', () => {
    expect(JSON.parse(text('nx.json'))).to.include({ useDaemonProcess: false, neverConnectToCloud: true });
  });
});
