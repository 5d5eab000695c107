/**
 * The device's tables in machine memory: mthca's ICM, as word offsets.
 *
 * All state of a device lives here and none in objects, so that every thread of the process sees the same device, and a thread
 * that dies takes nothing with it. Pointers are word indices into the machine's memory (`i32[pointer]`), sizes are in words.
 * Hot code destructures the tables into constants of its own module, because V8 folds those and not imported ones.
 */
export * from './layout/engine.ts';
export * from './layout/hca.ts';
export * from './layout/qp.ts';
export * from './layout/cq.ts';
export * from './layout/srq.ts';
export * from './layout/tpt.ts';
