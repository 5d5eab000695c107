// Who may import whom. The table is the picture in docs/architecture.md; a change to one is a change to the other.

/** For the sources of each package: the packages they may import. */
const arrows = {
  verbs: [],
  machine: [],
  rocev2: [],
  netdev: ['machine', 'rocev2'],
  hca: ['machine', 'netdev', 'rocev2', 'verbs'],
  hypervisor: ['machine'],
  'cqe-poller': ['verbs'],
  'registration-cache': ['verbs'],
  'event-dispatcher': ['verbs'],
  cm: ['verbs'],
  'provider-emulated': ['hca', 'machine', 'netdev', 'verbs'],
  'provider-xen': ['cqe-poller', 'event-dispatcher', 'hypervisor', 'machine', 'verbs'],
  'provider-native': ['verbs'],
  openverbs: [
    'cm',
    'cqe-poller',
    'event-dispatcher',
    'machine',
    'netdev',
    'provider-emulated',
    'provider-native',
    'provider-xen',
    'registration-cache',
    'verbs',
  ],
  conformance: ['verbs'],
  tools: ['conformance', 'openverbs', 'verbs'],
};

/** What tests import besides: the suite that every provider runs, and virtual clocks and seeded random numbers. */
const testArrows = ['conformance', 'machine'];

/** The split driver is tried over a real lower device, whose objects are counted before and after. */
const testArrowsOf = { 'provider-xen': ['hca', 'provider-emulated'] };

const testsMayImport = (name) => [...testArrows, ...(testArrowsOf[name] ?? [])];
const folder = (names) => `^packages/(?:${names.join('|')})/`;
/** A face of a package, as source and as compiled file. */
const face = (name, path = '') => `^packages/${name}/(?:dist/)?src/${path}`;

const arrowRules = Object.entries(arrows).flatMap(([name, allowed]) => [
  {
    name: `${name}-imports`,
    comment: `The sources of ${name} may import: ${allowed.join(', ') || 'no other package'}.`,
    severity: 'error',
    from: { path: `^packages/${name}/(?:src|bin)/` },
    to: { path: '^(?:packages|examples|docs|test)/', pathNot: folder([name, ...allowed]) },
  },
  {
    name: `${name}-test-imports`,
    comment: `The tests of ${name} may import what its sources may, and ${testsMayImport(name).join(', ')}.`,
    severity: 'error',
    from: { path: `^packages/${name}/test/` },
    to: { path: '^(?:packages|examples|docs|test)/', pathNot: folder([name, ...allowed, ...testsMayImport(name)]) },
  },
]);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'known-package',
      comment: 'Every package stands in the table of this file.',
      severity: 'error',
      from: { path: '^packages/', pathNot: folder(Object.keys(arrows)) },
      to: {},
    },
    ...arrowRules,
    {
      name: 'examples-imports',
      comment: 'Examples import what an application imports, and a part that it replaces.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(?:packages|docs|test)/', pathNot: folder(['openverbs', 'verbs', 'conformance', 'cqe-poller']) },
    },
    {
      name: 'no-provider-to-provider',
      comment: 'A provider that stands on another is given it, through @openverbs/verbs/driver. Its tests give it one.',
      severity: 'error',
      from: { path: '^packages/(provider-[^/]+)/src/' },
      to: { path: '^packages/provider-', pathNot: '^packages/$1/' },
    },
    {
      name: 'hca-knows-no-verbs',
      comment: 'The device speaks CQE syndromes and shares the layout of rings; hca/driver translates.',
      severity: 'error',
      from: { path: '^packages/hca/src/', pathNot: '^packages/hca/src/driver/' },
      to: { path: '^packages/verbs/', pathNot: face('verbs', 'rings/') },
    },
    {
      name: 'hca-device-without-its-driver',
      comment: 'The device is hardware: it does not know what drives it.',
      severity: 'error',
      from: { path: '^packages/hca/src/', pathNot: '^packages/hca/src/driver/' },
      to: { path: '^packages/hca/src/driver/' },
    },
    {
      name: 'rings-without-objects',
      comment:
        'The ring layout is shared with the device, which knows no verbs objects; numbers, errors and the words of a staged send are none.',
      severity: 'error',
      from: { path: '^packages/verbs/src/rings/' },
      to: {
        path: '^packages/verbs/src/',
        pathNot: '^packages/verbs/src/(?:rings/|enums/|(?:errors|words|staged-send)\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'machine-testing-in-tests',
      comment: 'That face of machine is for tests.',
      severity: 'error',
      from: { path: '^packages/[^/]+/(?:src|bin)/', pathNot: '^packages/machine/src/testing/' },
      to: { path: face('machine', 'testing/') },
    },
    {
      name: 'deterministic-device',
      comment: 'Clock, random numbers and links are handed to the device.',
      severity: 'error',
      from: { path: '^packages/(?:hca|rocev2)/src/' },
      to: {
        dependencyTypes: ['core'],
        path: '^(?:node:)?(?:crypto|dgram|http|https|net|timers|tls|worker_threads)(?:/|$)',
      },
    },
    {
      name: 'container-in-one-place',
      comment: 'The composition root is the only one to know the container.',
      severity: 'error',
      from: { path: '^(?:packages|examples|docs|test)/', pathNot: '^packages/openverbs/' },
      to: { path: '(?:^|/)node_modules/(?:tsyringe|reflect-metadata)/' },
    },
    {
      name: 'rxjs-in-two-places',
      comment: 'Streams are an edge: @openverbs/event-dispatcher/rxjs and openverbs offer them.',
      severity: 'error',
      from: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/event-dispatcher/src/rxjs(?:/|\\.ts$)', '^packages/openverbs/src/'],
      },
      to: { path: '(?:^|/)node_modules/rxjs/' },
    },
    {
      name: 'event-dispatcher-without-rxjs',
      comment: 'Who imports @openverbs/event-dispatcher need not have rxjs.',
      severity: 'error',
      from: { path: '^packages/event-dispatcher/src/', pathNot: '^packages/event-dispatcher/src/rxjs(?:/|\\.ts$)' },
      to: { path: '^packages/event-dispatcher/src/rxjs(?:/|\\.ts$)' },
    },
    {
      name: 'no-inside-of-another-package',
      comment: 'Another package is imported by its name, which leads to what is compiled, never by a path into it.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|examples|docs|test)/' },
      to: { path: '^packages/[^/]+/(?:src|test)/', pathNot: '^$1/' },
    },
    {
      name: 'no-tests-in-sources',
      comment: 'What is published does not import tests.',
      severity: 'error',
      from: { path: '^packages/[^/]+/(?:src|bin)/' },
      to: { path: ['^packages/[^/]+/(?:dist/)?test/', '^test/'] },
    },
    {
      name: 'no-circular',
      comment: 'Modules in a circle cannot be read, tested or loaded one by one.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-dependencies',
      comment: 'What is imported stands in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-dependency-in-sources',
      comment: 'A devDependency is not there where the package is installed.',
      severity: 'error',
      from: { path: '^packages/[^/]+/(?:src|bin)/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'npm-optional', 'npm-peer', 'type-only'],
        pathNot: '(?:^|/)node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '(?:^|/)dist/'] },
    exclude: { path: ['^packages/[^/]+/dist/test/', '(?:^|/)docs/api/'] },
    combinedDependencies: true,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts', '.json'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
