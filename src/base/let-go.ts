/**
 * Gives the memory of `data` back at once, so that the next of its size is the same, still in the cache.
 * Left to the collector it would be touched for the first time, and returned to the kernel, again and again.
 *
 * Nobody may look at `data` afterwards; it is empty then. Only what has its memory for itself is let go of:
 * with `headerBytes`, what is all but so many bytes at its beginning.
 */
export function letGo({ buffer, byteOffset, byteLength }: Uint8Array, headerBytes = 0): void {
  const isWhole = byteOffset === headerBytes && buffer.byteLength === headerBytes + byteLength;
  if (isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
