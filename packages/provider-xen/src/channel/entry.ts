/** A ring entry of the device channel: a request, and in its place the response. Arguments follow, unless they are in the bulk area. */
export const EntryWord = {
  /** The front-end's number of the request; its response has the same. */
  ID: 0,
  /** The command; of a response, its status. */
  COMMAND: 1,
  /** Words of arguments. */
  LENGTH: 2,
  /** 1 when these are in the bulk area. */
  BULK: 3,
} as const;
