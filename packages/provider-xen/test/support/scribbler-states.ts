/** What a scribbler's thread and the thread of its test tell each other. */

/** Words that both look at. */
export const ScribblerWord = { STATE: 0, ROUNDS: 1, COUNT: 2 } as const;

/** What it is to do, and what it does. It turns PAUSING into PAUSED. */
export const ScribblerState = { PAUSED: 0, SCRIBBLING: 1, ENDING: 2, PAUSING: 3 } as const;
