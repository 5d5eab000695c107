/** Those that are not in interleavings.test.ts. */
import { describeInterleavings, EQUAL, SEVERAL_TRIPS } from './interleavings.ts';

describeInterleavings('destroyQp', EQUAL);
describeInterleavings('resizeCq', [SEVERAL_TRIPS]);
describeInterleavings('destroyCq', [SEVERAL_TRIPS]);
