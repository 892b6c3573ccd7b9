/**
 * Reads until `wanted` bytes came. Throws when the stream ends before: a loop that reads on behind the end
 * never lets a timer run, so no time limit would end its test.
 */
export async function readAtLeast(
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> },
  wanted: number,
): Promise<void> {
  for (let bytes = 0; bytes < wanted; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended after ${bytes} bytes`);
    bytes += value?.length ?? 0;
  }
}
