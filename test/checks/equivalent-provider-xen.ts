/** Checks of the Xen back-end without which nothing changes that anybody could notice. */
import type { Equivalents } from './equivalent.ts';

export const PROVIDER_XEN: Equivalents = {
  'packages/provider-xen/src/backend/accounting.ts': [
    {
      fn: 'AccountTable.give',
      text: "place === ''",
      why: "An account that nobody sees is in no table: without it the frame of '' is 0 and its index undefined, which makes NaN, and the set of taken indices has no NaN to remove.",
    },
  ],
  'packages/provider-xen/src/backend/handlers/completion-queues.ts': [
    {
      fn: 'completionQueueHandlers.DRAIN_CQ',
      text: 'object instanceof CompletionQueueEx',
      why: 'Only the type checker asks for it: a CQ that is not extended has no wcFlags, and undefined has no bit of the mask, so that it is drained without times either way.',
    },
    {
      fn: 'arm',
      text: '!VerbsError.is(error)',
      why: 'Only the type checker asks for it: of all errors that a lower device throws, VerbsErrors alone have the code EOPNOTSUPP, and any other is thrown on by the second operand.',
    },
  ],
  'packages/provider-xen/src/backend/handlers/post-refusal.ts': [
    {
      fn: 'postRefusal',
      text: '!VerbsError.is(error)',
      why: 'Only the type checker asks for it: badWrIndexOf answers undefined for whatever is no VerbsError.',
    },
  ],
  'packages/provider-xen/src/backend/pending-region.ts': [
    {
      fn: 'PendingRegions.#pinned',
      text: 'n === 0',
      why: 'It says what is so anyway: in front of the first page stands undefined, and one more than that is NaN, which no page equals, so that the first page begins a run either way.',
    },
  ],
  'packages/provider-xen/src/backend/request-queue.ts': [
    {
      fn: 'RequestQueue.#remove',
      text: '!this.holds(qp)',
      why: 'It only saves time: of a QP that nothing waits for, the filters leave the list as it is and find nothing, and the list begins anew at what has not gone yet.',
    },
  ],
  'packages/provider-xen/src/backend/requests.ts': [
    {
      fn: 'countedFrom',
      text: '!VerbsError.is(error)',
      why: 'Only the type checker asks for it: badWrIndexOf answers undefined for whatever is no VerbsError.',
    },
  ],
  'packages/provider-xen/src/backend/uar-grants.ts': [
    {
      fn: 'UarGrants.#endAccess',
      text: 'error instanceof HypervisorError',
      why: "Only the type checker asks for it: endAccess of a grant table throws HypervisorErrors, and a fault of the program's own has no code EBUSY.",
    },
  ],
  'packages/provider-xen/src/backend/work-requests.ts': [
    {
      fn: 'postTo',
      text: 'bind === null',
      why: 'Only the type checker asks for it: a work request without a bind is none of a window of type 1, which the second operand looks at.',
    },
    {
      fn: 'badWrIndexOf',
      text: '!VerbsError.is(error)',
      why: 'Only the type checker asks for it: no other error has details with a badWrIndex, and without one the answer is undefined.',
    },
  ],
  'packages/provider-xen/src/backend/xenbus-backend.ts': [
    {
      fn: 'XenbusBackend.#number',
      text: 'value !== undefined',
      why: "Only the type checker asks for it: what is missing is tried as the text 'undefined', which has no digits.",
    },
  ],
  'packages/provider-xen/src/channel/bulk-area.ts': [
    {
      fn: 'BulkArea.read',
      text: 'PAGE_WORDS',
      why: 'What is read beyond a page is read again from the page that follows.',
    },
  ],
};
