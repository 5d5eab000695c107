/** A progress bar on a terminal, and nothing anywhere else. */
import process from 'node:process';
import { Presets, SingleBar } from 'cli-progress';
import { formatBytes, formatRate } from '../text.ts';

/** Fits the options of `copyFile`. */
export interface ProgressBar {
  onStart(totalBytes: number): void;
  onProgress(bytes: number): void;
  /** Removes the bar; may be called more than once. */
  stop(): void;
}

/** A bar on standard error, or where else is said. */
export function createProgressBar(stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  if (!stream.isTTY) return { onStart: () => {}, onProgress: () => {}, stop: () => {} };
  const bar = new SingleBar(
    { stream, format: '{bar} {percentage}%  {done}  {rate}', barsize: 32, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  let start = 0;
  const payload = (bytes: number): { done: string; rate: string } => ({
    done: formatBytes(bytes),
    rate: bytes === 0 ? '' : formatRate(bytes, (performance.now() - start) / 1000),
  });
  return {
    onStart(totalBytes) {
      start = performance.now();
      bar.start(totalBytes, 0, payload(0));
    },
    onProgress: (bytes) => bar.update(bytes, payload(bytes)),
    stop() {
      if (bar.isActive) bar.stop();
    },
  };
}
