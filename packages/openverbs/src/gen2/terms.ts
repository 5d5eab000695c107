/** What errors call things at kernel level: the objects are those of user level, and know verbs by the names that these have there. */
import { VerbsError } from '@openverbs/verbs';

/** Names of user level in a text, and what of kernel level stands for those that differ by more than the prefix. */
const USER_NAMES = /\bibv_(\w+)|\bIBV_(?=[A-Z])/g;
const OTHER_NAMES: Readonly<Record<string, string>> = {
  alloc_buf: 'ib_dma_alloc_coherent',
  free_buf: 'ib_dma_free_coherent',
  open_device: 'ib_register_client',
  reg_mr: 'ib_reg_phys_mr',
  rereg_mr: 'ib_rereg_phys_mr',
};

/** Calls `call`, whose errors then are those of the function `verb` of kernel level. */
export function inTerms<T>(verb: string, call: (verb: string) => T): T {
  try {
    return call(verb);
  } catch (error) {
    throw inTermsOf(verb, error);
  }
}

/** An error as the function `verb` of kernel level throws it; what is no error of a verb stays as it is. */
export function inTermsOf(verb: string, error: unknown): unknown {
  if (!VerbsError.is(error) || verb.startsWith('ibv_') || speaksOf(verb, error)) return error;
  const { code, hint, details, cause, stack } = error;
  const message = error.message.startsWith(`${error.verb}: `)
    ? error.message.slice(error.verb.length + 2)
    : error.message;
  const renamed = new VerbsError({
    code,
    verb,
    message: kernelNames(message),
    hint: kernelNames(hint),
    details,
    ...(cause !== undefined && { cause }),
  });
  // Where it was thrown says more than where it was renamed.
  const frames = stack?.indexOf('\n    at ') ?? -1;
  if (stack !== undefined && frames >= 0) renamed.stack = `${renamed.name}: ${renamed.message}${stack.slice(frames)}`;
  return renamed;
}

function speaksOf(verb: string, error: VerbsError): boolean {
  return error.verb === verb && kernelNames(error.message) === error.message && kernelNames(error.hint) === error.hint;
}

function kernelNames(text: string): string {
  return text.replace(USER_NAMES, (_, name?: string) =>
    name === undefined ? 'IB_' : (OTHER_NAMES[name] ?? `ib_${name}`),
  );
}
