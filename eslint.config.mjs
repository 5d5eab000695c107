// What the compiler cannot see: forgotten promises, forgotten cases, and where the architecture forbids an API rather than
// an import (imports are in .dependency-cruiser.mjs). Layout is prettier's.

import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The device is handed its clock, its random numbers and its links, so that a test can run all of it from a seed. */
const HOST_TIME = 'The device takes its clock from its caller, so that it runs under a virtual one.';
const HOST_RANDOM = 'The device takes its random numbers from its caller, so that a run can be repeated from its seed.';
const device = ['packages/hca/src/**/*.ts', 'packages/rocev2/src/**/*.ts'];
/** The driver runs on the host, where a pending wait keeps the event loop going. */
const driver = ['packages/hca/src/driver/**/*.ts'];
const hostTime = ['Date', 'performance', 'setTimeout'].map((name) => ({ name, message: HOST_TIME }));
const hostTurns = ['setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({ name, message: HOST_TIME }));
const hostRandom = [{ name: 'crypto', message: HOST_RANDOM }];

const noEnum = { selector: 'TSEnumDeclaration', message: 'Write an `as const` object and a type of the same name.' };
const noTopLevelAwait = {
  selector: 'Program > ExpressionStatement > AwaitExpression, Program > VariableDeclaration AwaitExpression',
  message: 'A package with top-level await cannot be loaded by require().',
};

export default defineConfig(
  {
    ignores: ['**/node_modules/', '**/dist/', '.cache/', '.nx/', 'coverage/', 'docs/api/'],
  },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      'no-restricted-syntax': ['error', noEnum],
      // The engine runs until there is no more to do.
      'no-constant-condition': ['error', { checkLoops: false }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['**/dist/**'], message: 'Import the source; of another package, what it exports.' }] },
      ],
      // An object of the API is a class with one method as often as not, and `_` marks what a default leaves unused.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions', 'methods'] }],
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // Index loops are what the hot paths are written in.
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // An alias of an object type and an interface each have their place.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/class-literal-property-style': 'off',
      // Async on an interface's sake: an implementation need not wait.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/tools/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', noEnum, noTopLevelAwait] },
  },
  {
    files: device,
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: HOST_RANDOM },
        { object: 'Date', property: 'now', message: HOST_TIME },
        { object: 'process', property: 'hrtime', message: HOST_TIME },
      ],
      'no-restricted-globals': ['error', ...hostTime, ...hostTurns, ...hostRandom],
    },
  },
  {
    files: driver,
    rules: { 'no-restricted-globals': ['error', ...hostTime, ...hostRandom] },
  },
  {
    // The suite is tests, published.
    files: ['packages/conformance/src/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['**/test/**/*.ts', 'test/**/*.ts'],
    rules: {
      // `expect(x).to.be.true` is a statement; a test may hand in what the types forbid.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
);
