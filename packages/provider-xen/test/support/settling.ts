/** What a front-end of a test waits by. */
export interface Settling {
  /**
   * Lets the device domain do what there is to do.
   *
   * @param done - says that it has, where another thread is waited for; a device domain on this thread is run until it finds nothing more
   */
  settle(done: () => boolean): void;
}
