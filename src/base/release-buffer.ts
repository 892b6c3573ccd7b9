/**
 * Frees the memory of `data` at once, so that the next allocation of its size gets the same pages while they
 * are still in the processor's cache. Left to the garbage collector, every message would cost new page
 * faults.
 *
 * `data` is empty afterwards and must not be used. Does nothing when `data` is a view of a larger buffer,
 * unless only `headerBytes` (default 0) precede it; those are freed too.
 */
export function releaseBuffer({ buffer, byteOffset, byteLength }: Uint8Array, headerBytes = 0): void {
  const isWhole = byteOffset === headerBytes && buffer.byteLength === headerBytes + byteLength;
  if (isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
