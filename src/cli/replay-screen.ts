/**
 * The terminal that shows a recording. Typed keys can only end the replay.
 *
 * @module
 */
import type { Screen } from "./replay.ts";

/** Opens this terminal. Reads and discards typed keys, except those that end the replay. */
export function openScreen(): { readonly screen: Screen; readonly close: () => void } {
  const { stdin } = process;
  const stopped = Promise.withResolvers<void>();
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    stopped.resolve();
  };
  const onTyped = (data: Buffer): void => {
    if (/[q\u0003\u0004]/.test(data.toString("latin1"))) stop();
  };
  const hasKeyboard = stdin.isTTY === true;
  if (hasKeyboard) {
    stdin.setRawMode(true);
    stdin.on("data", onTyped);
  }
  const screen: Screen = {
    write: (text) => writeBytes(Buffer.from(text)),
    wait: (ms) => Promise.race([Bun.sleep(ms), stopped.promise]),
    get isOver() {
      return isOver;
    },
  };
  const close = (): void => {
    if (!hasKeyboard) return;
    stdin.off("data", onTyped);
    stdin.setRawMode(false);
    stdin.pause();
  };
  return { screen, close };
}

/** Resolves once standard output has taken the bytes. */
export function writeBytes(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
