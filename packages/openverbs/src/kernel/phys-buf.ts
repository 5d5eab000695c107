/** Memory in several places, by bus addresses: from C's array to a list of pages. */
import { VerbsError } from '@openverbs/verbs';
import type { Context } from '@openverbs/verbs';

const PAGE_BYTES = 4096;

/** C's `struct ib_phys_buf`: one place. */
export interface IbPhysBuf {
  /** Its bus address, see {@link ib_dma_map_single}. */
  readonly addr: number;
  /** Bytes. */
  readonly size: number;
}

/** The same memory, as `pd.regPhysMr` takes it. */
interface Pages {
  readonly pages: readonly number[];
  readonly firstOffset: number;
  readonly length: number;
}

/** Source: Linux mthca_provider.c, mthca_reg_phys_mr: only the first place may begin, and only the last may end, within a page. */
export function pagesOf(verb: string, context: Context, array: readonly IbPhysBuf[], count: number): Pages {
  const places: readonly IbPhysBuf[] = Array.isArray(array) ? (array as IbPhysBuf[]) : [];
  if (!(Number.isInteger(count) && count >= 1 && count <= places.length))
    throw invalid(verb, `num_phys_buf is ${String(count)} of ${places.length} places`);
  const { maxMrSize } = context.queryDevice();
  const pages: number[] = [];
  let length = 0;
  for (const [i, place] of places.slice(0, count).entries()) {
    const { addr, size } = place ?? {};
    const what = `phys_buf_array[${i}]`;
    if (!Number.isSafeInteger(addr) || addr < 0 || !Number.isSafeInteger(addr + size) || !(size >= 1))
      throw invalid(verb, `${what} has the address ${String(addr)} and the size ${String(size)}`);
    if (i > 0 && addr % PAGE_BYTES !== 0) throw invalid(verb, `${what} does not begin with a page`);
    if (i < count - 1 && (addr + size) % PAGE_BYTES !== 0) throw invalid(verb, `${what} does not end with a page`);
    length += size;
    if (length > maxMrSize) throw invalid(verb, `the places have more than the ${maxMrSize} bytes of maxMrSize`);
    for (let page = addr - (addr % PAGE_BYTES); page < addr + size; page += PAGE_BYTES) pages.push(page);
  }
  return { pages, firstOffset: places[0].addr % PAGE_BYTES, length };
}

function invalid(verb: string, message: string): VerbsError {
  const hint = 'a place is { addr, size }; whole pages but at the two ends';
  return new VerbsError({ code: 'EINVAL', verb, message, hint });
}
