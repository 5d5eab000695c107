import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createProgressBar } from '../src/rcopy/progress-bar.ts';

const HIDE_CURSOR = '\u001b[?25l';
const CLEAR_LINE = '\u001b[0K';
const SHOW_CURSOR = '\u001b[?25h';
const MB = 1e6;

/** What is written where somebody looks, or into a pipe. */
class FakeStream extends Writable {
  readonly columns = 80;
  readonly isTTY: boolean;
  written = '';

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.written += chunk;
    done();
  }
}

function copy(stream: FakeStream): void {
  const bar = createProgressBar(stream as unknown as NodeJS.WriteStream);
  bar.onStart(100 * MB);
  bar.onProgress(25 * MB);
  bar.onProgress(100 * MB);
  bar.stop();
  bar.stop();
}

describe('the progress bar', () => {
  it('is drawn on a terminal, which is afterwards as it was', () => {
    const stream = new FakeStream(true);
    copy(stream);
    const { written } = stream;
    expect(written).to.match(/░{32} 0% {2}0 B/);
    expect(written).to.match(/█+ 100% {2}100 MB {2}[\d.]+ [kMGT]B\/s/);
    expect(written.indexOf(HIDE_CURSOR)).to.be.within(0, written.indexOf('░'));
    const end = written.slice(written.lastIndexOf('█'));
    expect(end).to.include(CLEAR_LINE);
    expect(end).to.include(SHOW_CURSOR);
  });

  it('is drawn into no pipe, nor file', () => {
    const stream = new FakeStream(false);
    copy(stream);
    expect(stream.written).to.equal('');
  });
});
