/**
 * The OpenIB Gen2 API of user level, by its C names: the 42 functions of Gen2, later ones of `<infiniband/verbs.h>`, and its
 * constants, with C's argument order. `docs/compatibility.md` lists all.
 *
 * What differs from C: structs are the SDK's objects, in camelCase; an out-parameter is an object that the call fills and
 * returns, and may be left out; a pointer result is the return value; a failure throws a `VerbsError`; `ibv_get_cq_event` and
 * `ibv_get_async_event` are awaited; lists of work requests are chained by `next`, as in C. `ibv_alloc_buf` and `ibv_free_buf`
 * are added for memory, and `WorkCompletion.array(n)` makes what `ibv_poll_cq` fills. Members of C's unions and of the structs within are members of
 * the struct itself: `wr.rdma.remote_addr` is `remoteAddr`, `wr.atomic.compare_add` is `compareAdd`, `wr.ud.ah` is `ah`. C's `is_global` is
 * true where there is a `grh`.
 *
 * Each function follows the man page of its own name, in section 3, where there is one. Told at each is what differs from that, and errors of its own.
 * What any of them may throw is not repeated: EINVAL for an object that has ended or an argument beyond its limit, EOPNOTSUPP for what the
 * device leaves out, ENOMEM where something is made and there is no place left, EIO once the device has failed.
 *
 * @packageDocumentation
 */
export * from './address-handle.ts';
export * from './async-event.ts';
export type { BadWr } from './bad-wr.ts';
export * from './completion.ts';
export * from './constants.ts';
export * from './device.ts';
export * from './extended-completion.ts';
export * from './extended-post.ts';
export * from './left-out.ts';
export * from './memory.ts';
export * from './memory-window.ts';
export * from './names.ts';
export type { Out } from './out-parameter.ts';
export * from './queue-pair.ts';
export * from './shared-receive-queue.ts';
export * from './xrc.ts';
export { WorkCompletion } from '@openverbs/verbs';
