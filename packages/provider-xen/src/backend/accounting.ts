/** What a guest has had: counted by the back-end, for eyes. */

/** Counts of one guest since it connected. */
export class Accounting {
  /** Commands on the device channel. */
  commands = 0;
  /** Of these, refused. */
  refused = 0;
  /** Of these, because the back-end itself failed: none, or it has a fault. */
  faults = 0;
  /** Work requests that were posted through the back-end. */
  posts = 0;
  /** Completions that were fetched. */
  completions = 0;
  /** Bytes of payload that the work requests name. */
  bytes = 0;
  /** Bytes of posts that lay in ring entries instead of the bulk area, where payload could have been: a front-end of ours puts none there. */
  ringPayloadBytes = 0;
  /** Events on the event channel. */
  events = 0;
  /** Events that were lost because too many waited. */
  eventsLost = 0;
  /** Pages that were looked at when memory was registered. */
  pagesVerified = 0;
}
