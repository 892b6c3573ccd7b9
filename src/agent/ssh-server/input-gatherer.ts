/**
 * Input gathering for a channel. Packets that a client sends within one turn of the event loop are passed on
 * together, which saves a system call and a wake-up for each 32 kB.
 *
 * A small piece that comes alone is passed on at once.
 *
 * @module
 */

/** Pieces from this size on are worth gathering. */
const LARGE_BYTES = 8 * 1024;
/** Capacity of a socket between processes; also fits a processor's cache. */
const BUFFER_BYTES = 128 * 1024;
/** Buffers kept for the next turn. */
const SPARE_MAX = 4;
const spare: Buffer[] = [];

/** Takes `data`, whose memory is reused once the result settles. Null: it was taken at once. */
export type TakeInput = (data: Buffer) => Promise<unknown> | null;

export class InputGatherer {
  readonly #take: TakeInput;
  #buffer: Buffer | null = null;
  #used = 0;
  /** The last piece, while it is still being written. */
  #waiting: Promise<unknown> | null = null;

  /** `take` is called with one piece at a time. */
  constructor(take: TakeInput) {
    this.#take = take;
  }

  /** Adds `data`. The caller must not use it afterwards. */
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

  /** Passes on what has been gathered. Settles once everything was taken. Null: it already is. */
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

/** What a packet holds beside its data: header, padding, and rounding to cipher blocks. */
const PACKET_OVERHEAD_BYTES_MAX = 512;

/** Frees the packet that carried `data`, if the memory holds nothing else. */
function releasePacket({ buffer, byteLength }: Buffer): void {
  const isOwn = byteLength >= LARGE_BYTES && buffer.byteLength - byteLength <= PACKET_OVERHEAD_BYTES_MAX;
  if (isOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
