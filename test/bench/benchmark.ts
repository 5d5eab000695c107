/** What a benchmark is: cases that are measured in processes of their own, and the lines that come of it. */
import type { Samples } from './samples.ts';

/** How much is measured. */
export interface BenchOptions {
  /** Processes that measure each case, one after the other. */
  readonly starts: number;
  /** Pairs of blocks in each of them, after the warm-up. */
  readonly pairs: number;
  /** Shortest block in milliseconds. */
  readonly blockMs: number;
  /** A smoke run: few cases, few operations. Its figures mean nothing. */
  readonly quick: boolean;
}

/** One case of a benchmark. It crosses to another process, so it is plain data. */
export interface BenchCase {
  /** Columns of the table that tell the cases apart, and fields of the JSON lines. */
  readonly fields: Readonly<Record<string, number>>;
  /** Options of Node for the processes that measure it. */
  readonly execArgv?: readonly string[];
  /** What is measured, where a benchmark has several programs. */
  readonly part?: string;
  /** Processes to start, where one says as much as many. */
  readonly starts?: number;
}

/** A line of the table, and of `--json`. */
export interface ResultLine {
  readonly name: string;
  readonly metric: string;
  /** Median of the samples. */
  readonly value: number;
  readonly unit: string;
  /** Lower and upper quartile of the samples. */
  readonly q1: number;
  readonly q3: number;
  /** How many there were. */
  readonly samples: number;
  /** For a ratio: what the same procedure says when it compares a thing with itself. */
  readonly control?: number;
  readonly controlQ1?: number;
  readonly controlQ3?: number;
  /** Fields of the case, such as `size`. */
  readonly [field: string]: number | string | undefined;
}

/** A benchmark, as the parent process sees it. */
export interface Benchmark {
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  cases(options: BenchOptions): readonly BenchCase[];
  /** Lines of one case. `samples` hold those of all starts. */
  lines(bench: BenchCase, samples: Samples): readonly ResultLine[];
}

/** A benchmark, as the measuring process sees it. */
export type Measure = (bench: BenchCase, options: BenchOptions) => Promise<Samples> | Samples;
