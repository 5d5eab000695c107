/** Contexts, and what is asked of the device. */
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';

export const contextHandlers: Handlers<
  | 'OPEN_CONTEXT'
  | 'CLOSE_CONTEXT'
  | 'QUERY_DEVICE'
  | 'QUERY_DEVICE_EX'
  | 'QUERY_PORT'
  | 'QUERY_GID'
  | 'QUERY_PKEY'
  | 'QUERY_HW_COUNTERS'
  | 'QUERY_RT_VALUES'
> = {
  OPEN_CONTEXT(guest) {
    const { handle, userHalf } = guest.openContext();
    return { context: handle, userHalf };
  },

  CLOSE_CONTEXT(guest, { context }) {
    guest.closeContext(context);
    return DONE;
  },

  QUERY_DEVICE(guest, { context }) {
    return { attr: guest.attrOf(guest.context(context).lower.queryDevice()) };
  },

  QUERY_DEVICE_EX(guest, { context }) {
    return { attr: guest.context(context).lower.queryDeviceEx() };
  },

  QUERY_PORT(guest, { context, port }) {
    return { attr: guest.context(context).lower.queryPort(port) };
  },

  QUERY_GID(guest, { context, port, index }) {
    const { gid, gidType, ndevIfindex } = guest.context(context).lower.queryGidEntry(port, index);
    return { gid, gidType, ndevIfindex };
  },

  QUERY_PKEY(guest, { context, port, index }) {
    return { pkey: guest.context(context).lower.queryPkey(port, index) };
  },

  QUERY_HW_COUNTERS(guest, { context, port }) {
    const counters = guest.context(context).lower.queryHwCounters(port);
    return { counters: Object.entries(counters).map(([name, value]) => ({ name, value })) };
  },

  QUERY_RT_VALUES(guest, { context }) {
    return { rawClock: guest.context(context).lower.queryRtValues().rawClock };
  },
};
