/** Whether the device domain's thread runs. */
export const Dom0State = { STARTING: 0, RUNNING: 1, STOPPING: 2, STOPPED: 3 } as const;
