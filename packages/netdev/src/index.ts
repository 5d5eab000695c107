/**
 * How frames and messages travel between devices.
 *
 * @packageDocumentation
 */
export { LINK_PORTS_MAX, MemoryLink, portId } from './memory-link.ts';
