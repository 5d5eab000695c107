/** The words of a message: put in one after the other, and taken out again. Always of a private copy, never of shared memory. */
import { VerbsError } from '@openverbs/verbs';

/** Puts words into a message. */
export class WordWriter {
  readonly words: Int32Array;
  /** Words written so far. */
  length = 0;

  constructor(words: Int32Array) {
    this.words = words;
  }

  put(word: number): void {
    if (this.length === this.words.length) {
      throw new VerbsError({
        code: 'EINVAL',
        message: `the arguments take more than the ${this.words.length * 4} bytes of a message of the device channel`,
        hint: 'post fewer work requests at a time',
      });
    }
    this.words[this.length++] = word;
  }
}

/** Takes words out of a message. */
export class WordReader {
  readonly words: Int32Array;
  readonly end: number;
  at = 0;

  /** @param end - words of the message */
  constructor(words: Int32Array, end: number) {
    this.words = words;
    this.end = end;
  }

  take(): number {
    if (this.at >= this.end) throw malformed('the message ends too early');
    return this.words[this.at++];
  }
}

/** What its message begins with. */
export const MALFORMED = 'malformed message: ';

/** What a message is refused with that no front-end or back-end of this version writes. */
export function malformed(what: string): VerbsError {
  return new VerbsError({
    code: 'EINVAL',
    message: `${MALFORMED}${what}`,
    hint: 'front-end and back-end have to match',
  });
}
