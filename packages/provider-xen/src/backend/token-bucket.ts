/** A token bucket: how much may go now, at a rate and with a burst on top. */

/** Burst when nobody says: what the rate gives in 10 ms, and 64 KiB at least. */
const BURST_S = 0.01;
const BURST_BYTES_MIN = 65536;

export class TokenBucket {
  #rate = 0;
  #burst = 0;
  #tokens = 0;
  #atNs = 0;

  /** @param rateBytesPerS - 0 for no limit */
  set(rateBytesPerS: number, burstBytes: number, nowNs: number): void {
    this.#refill(nowNs);
    this.#rate = rateBytesPerS;
    this.#burst = burstBytes > 0 ? burstBytes : Math.max(rateBytesPerS * BURST_S, BURST_BYTES_MIN);
    this.#tokens = Math.min(this.#tokens, this.#burst);
    this.#atNs = nowNs;
  }

  get limited(): boolean {
    return this.#rate > 0;
  }

  /** Whether something may go. What is larger than the burst goes into debt, or it could never go. */
  ready(nowNs: number): boolean {
    if (this.#rate === 0) return true;
    this.#refill(nowNs);
    return this.#tokens > 0;
  }

  take(bytes: number): void {
    if (this.#rate > 0) this.#tokens -= bytes;
  }

  /** When something may go again. */
  readyAtNs(nowNs: number): number {
    if (this.ready(nowNs)) return nowNs;
    return nowNs + ((1 - this.#tokens) / this.#rate) * 1e9;
  }

  #refill(nowNs: number): void {
    if (this.#rate > 0) this.#tokens = Math.min(this.#burst, this.#tokens + ((nowNs - this.#atNs) / 1e9) * this.#rate);
    this.#atNs = nowNs;
  }
}
