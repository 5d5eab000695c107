/** A 128-bit GID in the notation of `inet_ntop(AF_INET6)`, which the C tools use for RoCE v2. */

/**
 * The shortest form of RFC 5952: the longest run of zero groups (at least two) becomes `::`, and an IPv4 address that is
 * embedded in 96 leading bits of zero, or of `::ffff`, stays dotted.
 */
export function formatInet6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8) | bytes[2 * i + 1]);
  const [start, length] = longestZeroRun(groups);
  const dotted = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const parts = groups.slice(0, dotted ? 6 : 8).map((group) => group.toString(16));
  if (dotted) parts.push(bytes.slice(12).join('.'));
  if (length < 2) return parts.join(':');
  return `${parts.slice(0, start).join(':')}::${parts.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}
