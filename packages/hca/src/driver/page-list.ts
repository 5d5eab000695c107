/** Lists of pages, as whoever registers memory by bus addresses gives them. The bus addresses of the HCA are machine addresses. */
import { PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { DeviceError } from '../device-error.ts';
import { MR_PAGES_MAX } from '../limits.ts';

/**
 * Refuses what is no list of pages of the machine, and answers whether they are one run. Linear in their number.
 *
 * @throws DeviceError `EINVAL`, with the first page that is wrong
 */
export function checkPages(machine: Machine, pages: ArrayLike<number>): boolean {
  const { length } = pages;
  if (!(length >= 1 && length <= MR_PAGES_MAX)) {
    throw new DeviceError('EINVAL', `a list of ${length} pages; it has 1 to ${MR_PAGES_MAX}`);
  }
  const { firstBytes, endBytes } = dmaBounds(machine);
  let oneRun = true;
  for (let n = 0; n < length; n++) {
    const page = pages[n];
    if (!(page >= firstBytes && page < endBytes && page % PAGE_BYTES === 0)) throw noPage(machine, n, page);
    oneRun &&= page === pages[0] + n * PAGE_BYTES;
  }
  return oneRun;
}

/** What of machine memory can be somebody's: all but the machine's own tables in front. */
export function dmaBounds(machine: Machine): { readonly firstBytes: number; readonly endBytes: number } {
  return { firstBytes: machine.firstPage * PAGE_BYTES, endBytes: machine.u8.length };
}

function noPage(machine: Machine, index: number, page: number): DeviceError {
  const { firstBytes, endBytes } = dmaBounds(machine);
  const message = `pages[${index}] is ${page}, the address of no page of the machine`;
  return new DeviceError('EINVAL', message, `pages are multiples of ${PAGE_BYTES} from ${firstBytes} to ${endBytes}`);
}
