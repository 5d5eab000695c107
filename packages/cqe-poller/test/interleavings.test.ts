/** Those in which something is buffered, and some of the others; these are in interleavings.exhaustive.ts. */
import { BUFFERED, describeInterleavings, SEVERAL_TRIPS } from './interleavings.ts';

describeInterleavings('destroyQp', [SEVERAL_TRIPS, BUFFERED]);
describeInterleavings('resizeCq', [BUFFERED]);
describeInterleavings('destroyCq', [BUFFERED]);
