/**
 * From the number that an event names to the object it is about, and to those who want to know.
 *
 * @packageDocumentation
 */
export { EventDispatcher } from './event-dispatcher.ts';
export type { Subscription } from './subscription.ts';
