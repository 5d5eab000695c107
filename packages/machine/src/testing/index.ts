/**
 * For the tests of what lives in machine memory: every order of the steps of several threads, and death at every call of one. No part of the
 * SDK's API.
 *
 * @packageDocumentation
 */
export { cutAtCall } from './cut.ts';
export type { Part } from './cut.ts';
export { explore } from './interleavings.ts';
export type { Exploration, Model } from './interleavings.ts';
