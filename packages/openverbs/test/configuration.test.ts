import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { VerbsError } from '@openverbs/verbs';
import { DRIVER_ABI } from '@openverbs/verbs/driver';
import type { ProviderDefinition } from '@openverbs/verbs/driver';
import { expect } from 'chai';

import { openVerbs } from '../src/composition.ts';
import { configure } from '../src/configuration/configuration.ts';
import type { Configuration } from '../src/configuration/configuration.ts';
import { argumentSettings, environmentSettings, fileSettings } from '../src/configuration/sources.ts';
import { PARTS } from '../src/parts.ts';
import { failure } from './failure.ts';

/** A provider whose settings are `placement` and `memoryBytes`. */
function fakeProvider(name: string): ProviderDefinition {
  return {
    name,
    driverAbi: DRIVER_ABI,
    parseConfig(value) {
      const key = Object.keys(value as object).find((each) => !['placement', 'memoryBytes', 'ports'].includes(each));
      if (key === undefined) return value;
      // Providers tell the key as data, or in the message alone.
      const details = name === 'emulated' ? { key, valid: ['placement', 'memoryBytes', 'ports'] } : undefined;
      throw new VerbsError({ code: 'EINVAL', message: `${name} has no key '${key}'`, hint: 'a hint', details });
    },
    open: () => expect.fail('not in this test'),
  };
}

describe('configuration', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'openverbs-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** Configures from the three sources; providers load as fakes of the name that was asked for. */
  function configured(argument: object, env: Record<string, string> = {}, file?: unknown): Configuration {
    if (file !== undefined) {
      writeFileSync(join(directory, 'openverbs.config.json'), typeof file === 'string' ? file : JSON.stringify(file));
    }
    const sources = [argumentSettings(argument), environmentSettings(env), fileSettings(directory)];
    return configure(sources, (reference) => (typeof reference === 'string' ? fakeProvider(reference) : reference));
  }

  function names({ providers }: Configuration): string[] {
    return providers.map(({ definition }) => definition.name);
  }

  describe('providers', () => {
    it('is the emulated one by default, without settings', () => {
      const configuration = configured({});
      expect(names(configuration)).to.deep.equal(['emulated']);
      expect(configuration.providers[0].config).to.deep.equal({});
    });

    it('takes the argument before the environment before the file', () => {
      const env = { OPENVERBS_PROVIDER: 'native' };
      const file = { providers: ['xen', 'acme'] };
      expect(names(configured({}, {}, file))).to.deep.equal(['xen', 'acme']);
      expect(names(configured({}, env, file))).to.deep.equal(['native']);
      expect(names(configured({ provider: 'emulated' }, env, file))).to.deep.equal(['emulated']);
    });

    it('takes a list from the environment, with commas or as JSON', () => {
      expect(names(configured({}, { OPENVERBS_PROVIDERS: 'emulated, xen' }))).to.deep.equal(['emulated', 'xen']);
      expect(names(configured({}, { OPENVERBS_PROVIDERS: '["native","xen"]' }))).to.deep.equal(['native', 'xen']);
    });

    it('takes a definition itself', () => {
      const definition = fakeProvider('mine');
      expect(configured({ provider: definition }).providers[0].definition).to.equal(definition);
    });

    it('refuses both keys in one source, twins, and what names no provider', () => {
      const both = failure(() => configured({}, {}, { provider: 'xen', providers: ['native'] }));
      expect(both.message).to.match(/'provider' and 'providers' are both set in .*openverbs\.config\.json/);
      const twins = failure(() => configured({ providers: ['xen', 'xen'] }));
      expect(twins.message).to.contain("'xen' is named twice");
      expect(twins.hint).to.contain("guests: [{ mode: 'basic' }, { mode: 'bypass' }]");
      for (const provider of [7, '', null]) {
        expect(failure(() => configured({ provider })).message).to.contain("'provider' in the argument of openVerbs()");
      }
      expect(failure(() => configured({ providers: [] })).message).to.contain("'providers' in");
      expect(failure(() => configured({}, { OPENVERBS_PROVIDER: '7' })).message).to.contain('in the environment');
    });
  });

  describe('sections', () => {
    it('are merged key by key', () => {
      const { providers } = configured(
        { emulated: { placement: 'inline' } },
        { OPENVERBS_EMULATED_PLACEMENT: 'thread', OPENVERBS_EMULATED_MEMORY_BYTES: '65536' },
        { emulated: { placement: 'remote', memoryBytes: 1, ports: [1, 2] } },
      );
      expect(providers[0].config).to.deep.equal({ placement: 'inline', memoryBytes: 65536, ports: [1, 2] });
    });

    it('come whole from a variable too', () => {
      const env = { OPENVERBS_EMULATED: '{"placement":"thread","ports":[3]}', OPENVERBS_EMULATED_PORTS: '' };
      expect(configured({}, env).providers[0].config).to.deep.equal({ placement: 'thread', ports: [3] });
    });

    it('of known providers that are not loaded are left alone', () => {
      const configuration = configured({}, { OPENVERBS_XEN_DOMAIN: '3' }, { native: { anything: 1 } });
      expect(configuration.providers.map(({ config }) => config)).to.deep.equal([{}]);
    });

    it("of a provider from elsewhere go by the provider's name", () => {
      const configuration = configured({ provider: fakeProvider('acme-nic') }, { OPENVERBS_ACME_NIC_PORTS: '2' });
      expect(configuration.providers[0].config).to.deep.equal({ ports: 2 });
    });

    it('of a provider that a stronger source overruled are no error', () => {
      const file = { provider: 'acme', acme: { placement: 'thread' } };
      expect(names(configured({ provider: 'emulated' }, {}, file))).to.deep.equal(['emulated']);
      expect(configured({}, {}, file).providers[0].config).to.deep.equal({ placement: 'thread' });
    });

    it('must be objects', () => {
      const error = failure(() => configured({}, { OPENVERBS_EMULATED: 'thread' }));
      expect(error.message).to.contain("'OPENVERBS_EMULATED' in the environment").and.contain('must be an object');
    });

    it('show where a key came from that the provider refuses, and the nearest one', () => {
      const fromFile = failure(() => configured({}, {}, { emulated: { plcement: 1 } }));
      expect(fromFile.code).to.equal('EINVAL');
      expect(fromFile.message).to.match(
        /emulated has no key 'plcement' \('emulated\.plcement' in .*openverbs\.config\.json\); did you mean 'placement'\?/,
      );
      expect(fromFile.hint).to.equal('a hint');
      const fromEnvironment = failure(() => configured({}, { OPENVERBS_EMULATED_PLCEMENT: '1' }));
      expect(fromEnvironment.message).to.contain("('OPENVERBS_EMULATED_PLCEMENT' in the environment)");
      const inMessage = failure(() => configured({ provider: 'xen', xen: { ports: 1, prts: 2 } }));
      expect(inMessage.message).to.contain("xen has no key 'prts' ('xen.prts' in the argument of openVerbs())");
    });
  });

  describe('unknown keys', () => {
    const cases: readonly [
      where: string,
      argument: object,
      env: Record<string, string>,
      file: object,
      nearest: string,
    ][] = [
      ['the argument', { provder: 'xen' }, {}, {}, 'provider'],
      ['the argument', { machin: {} }, {}, {}, 'machine'],
      ['the argument', { emualted: {} }, {}, {}, 'emulated'],
      ['the file', {}, {}, { providres: ['xen'] }, 'providers'],
      ['the file', {}, {}, { EMULATED: {} }, 'emulated'],
      ['the environment', {}, { OPENVERBS_PROVIDE: 'xen' }, {}, 'OPENVERBS_PROVIDER'],
      ['the environment', {}, { OPENVERBS_EMULATE_PLACEMENT: '1' }, {}, 'OPENVERBS_EMULATED_PLACEMENT'],
      ['a part', { use: { evenDispatcher: {} } }, {}, {}, 'eventDispatcher'],
      ['a part that does not exist yet', { use: { prgn: {} } }, {}, {}, 'prng'],
    ];
    for (const [where, argument, env, file, nearest] of cases) {
      it(`in ${where}: the nearest is ${nearest}`, () => {
        const error = failure(() => configured(argument, env, file));
        expect(error.code).to.equal('EINVAL');
        expect(error.message).to.contain(`did you mean '${nearest}'?`);
        expect(error.details?.['nearest']).to.equal(nearest);
        expect(error.hint).to.contain('valid keys are');
      });
    }

    it('within a setting are told of the nearest there', () => {
      const drop = failure(() => openVerbs({ emulated: { faults: { dropp: 0.1 } as object } }));
      expect(drop.message).to.contain(
        "no key 'dropp' ('emulated.faults' in the argument of openVerbs()); did you mean 'drop'?",
      );
      const name = failure(() => openVerbs({ provider: 'xen', xen: { guests: [{ nam: 'a' } as object] } }));
      expect(name.message).to.contain("did you mean 'name'?");
    });

    it('name their origin, and nothing when nothing is near', () => {
      const error = failure(() => configured({}, {}, { 'a completely different thing': 1 }));
      expect(error.message).to.match(/^openVerbs: unknown key '.*' in .*openverbs\.config\.json$/);
    });

    it('share no more with a variable than its prefix', () => {
      const error = failure(() => configured({}, { OPENVERBS_WOMBAT: '1' }));
      expect(error.message).to.equal("openVerbs: unknown key 'OPENVERBS_WOMBAT' in the environment");
      expect(error.details?.['nearest']).to.equal(undefined);
    });

    it('of the file are not told of keys that only the argument takes', () => {
      const error = failure(() => configured({}, {}, { $schema: 'x' }));
      expect(error.hint).to.contain('valid keys are provider, providers, debug, registrationCache, emulated');
      expect(error.hint).not.to.contain('machine');
    });

    it('leave variables of tests and of others alone', () => {
      expect(names(configured({}, { OPENVERBS_TEST_SEED: '7', PATH: '/bin', OPENVERBS_PROVIDER: '' }))).to.deep.equal([
        'emulated',
      ]);
    });
  });

  it('takes objects of the program from the argument only', () => {
    const machine = { kind: 'openverbs-machine' };
    expect(configured({ machine }).machine).to.equal(machine);
    expect(failure(() => configured({}, { OPENVERBS_MACHINE: '{}' })).message).to.contain('only openVerbs() takes it');
    expect(failure(() => configured({}, {}, { use: {} })).message).to.contain('only openVerbs() takes it');
    expect(failure(() => configured({ use: 7 })).message).to.contain(
      "'use' in the argument of openVerbs() is not an object",
    );
    expect(failure(() => configured({ use: { clock: 7 } })).message).to.contain("'use.clock' is not an object");
    expect(failure(() => configured('emulated' as never)).message).to.contain('the argument is not an object');
  });

  it('refuses parts that lack a method, and names it', () => {
    for (const [name, { methods }] of Object.entries(PARTS)) {
      for (const lacking of methods) {
        const all = Object.fromEntries(methods.map((method) => [method, () => undefined]));
        expect(configured({ use: { [name]: all } }).use).to.deep.equal({ [name]: all });
        const error = failure(() => configured({ use: { [name]: { ...all, [lacking]: 7 } } }));
        expect(error).to.include({ code: 'EINVAL' });
        expect(error.message).to.contain(`'use.${name}' has no method '${lacking}'`);
        expect(error.hint).to.contain(`${lacking}()`);
      }
      for (const bad of [null, 7, 'usual', [], () => undefined]) {
        expect(failure(() => configured({ use: { [name]: bad } })).message).to.contain(
          `'use.${name}' is not an object`,
        );
      }
    }
  });

  describe('the registration cache', () => {
    it('is off, and switched on by the first source that says so', () => {
      expect(configured({}).registrationCache).to.equal(undefined);
      expect(configured({ registrationCache: true }).registrationCache).not.to.equal(undefined);
      const variable = { OPENVERBS_REGISTRATION_CACHE: 'true' };
      expect(configured({}, variable).registrationCache).not.to.equal(undefined);
      expect(configured({ registrationCache: false }, variable).registrationCache).to.equal(undefined);
      const limits = { registrationCache: { idleEntriesMax: 5 } };
      expect(configured({}, {}, limits).registrationCache).not.to.equal(undefined);
    });

    it('has limits, and says where a wrong one came from', () => {
      const misspelt = failure(() => configured({}, { OPENVERBS_REGISTRATION_CACHE: '{"idleBytesMx":5}' }));
      expect(misspelt.message).to.equal(
        "openVerbs: a registration cache has no limit 'idleBytesMx' ('OPENVERBS_REGISTRATION_CACHE' in the environment); did you mean 'idleBytesMax'?",
      );
      expect(failure(() => configured({ registrationCache: { idleEntriesMax: 0 } as never })).message).to.contain(
        'idleEntriesMax is 0; the limit is 1 to 1048576',
      );
      expect(failure(() => configured({ registrationCache: 'on' as never })).hint).to.equal('true switches it on');
    });
  });

  it('treats undefined as absent', () => {
    const configuration = configured({ provider: undefined, machine: undefined, emulated: { ports: undefined } });
    expect(configuration.providers[0].config).to.deep.equal({});
  });

  it('says what is wrong with a file', () => {
    const broken = failure(() => configured({}, {}, '{ "provider": }'));
    expect(broken.message).to.match(/openverbs\.config\.json is not JSON: /);
    const list = failure(() => configured({}, {}, '[]'));
    expect(list.message).to.contain('must hold an object');
    for (const { hint } of [broken, list]) expect(hint).to.contain('{ "provider": "emulated"');
  });

  it('says so when the file is a directory', () => {
    mkdirSync(join(directory, 'openverbs.config.json'));
    const error = failure(() => configured({}));
    expect(error.code).to.equal('EINVAL');
    expect(error.message).to.match(/cannot read .*openverbs\.config\.json: it is a directory/);
    expect(error.hint).to.contain('the configuration is a file');
  });
});
