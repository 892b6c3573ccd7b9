/**
 * The gatherer of a channel's input: packets that a client sends within one turn of the loop are handed on
 * together, so that the kernel is called once and the other side woken once, not for each 32 kB.
 *
 * A small piece that comes alone goes on at once.
 *
 * @module
 */

/** From here on a piece is worth to be put together with others. */
const LARGE_BYTES = 8 * 1024;
/** What a socket between processes holds, and a processor's cache. */
const BUFFER_BYTES = 128 * 1024;
/** Buffers kept for the next turn. */
const SPARE_MAX = 4;
const spare: Buffer[] = [];

/** Takes `data`, which is used again as soon as what it returns has settled; null: at once. */
export type TakeInput = (data: Buffer) => Promise<unknown> | null;

export class InputGatherer {
  readonly #take: TakeInput;
  #buffer: Buffer | null = null;
  #used = 0;
  /** What was taken last and is not written yet. */
  #waiting: Promise<unknown> | null = null;

  /** `take` gets one piece at a time. */
  constructor(take: TakeInput) {
    this.#take = take;
  }

  /** Adds `data`, which must not be used afterwards. */
  add(data: Buffer): void {
    if (this.#buffer !== null && this.#used + data.length > BUFFER_BYTES) this.flush();
    const isAlone = this.#buffer === null && data.length < LARGE_BYTES && this.#waiting === null;
    if (isAlone || data.length > BUFFER_BYTES) {
      this.#hand(data, () => {});
      return;
    }
    if (this.#buffer === null) {
      this.#buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      queueMicrotask(() => this.flush());
    }
    this.#buffer.set(data, this.#used);
    this.#used += data.length;
    releasePacket(data);
  }

  /** Hands on what has gathered. What it returns settles once all of it was taken; null: it is. */
  flush(): Promise<unknown> | null {
    const buffer = this.#buffer;
    if (buffer !== null) {
      const data = buffer.subarray(0, this.#used);
      this.#buffer = null;
      this.#used = 0;
      this.#hand(data, () => {
        if (spare.length < SPARE_MAX) spare.push(buffer);
      });
    }
    return this.#waiting;
  }

  #hand(data: Buffer, onTaken: () => void): void {
    const taken = this.#waiting === null ? this.#take(data) : this.#waiting.then(() => this.#take(data));
    if (taken === null) {
      onTaken();
      return;
    }
    const waiting: Promise<unknown> = taken.then(
      () => this.#taken(waiting, onTaken),
      () => this.#taken(waiting, onTaken),
    );
    this.#waiting = waiting;
  }

  #taken(waiting: Promise<unknown>, onTaken: () => void): void {
    if (this.#waiting === waiting) this.#waiting = null;
    onTaken();
  }
}

/** What a packet has beside its data: head, padding, and what the cipher's blocks make of them. */
const PACKET_OVERHEAD_BYTES_MAX = 512;

/** Frees the memory of the packet that `data` has come in, if it is that packet's alone. */
function releasePacket({ buffer, byteLength }: Buffer): void {
  const isOwn = byteLength >= LARGE_BYTES && buffer.byteLength - byteLength <= PACKET_OVERHEAD_BYTES_MAX;
  if (isOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
