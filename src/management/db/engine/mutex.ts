/**
 * A first-come, first-served mutex with a bound on the queue and on the wait.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";

const WAITERS_MAX = 4_096;
const WAIT_MS_MAX = 30_000;

export interface Mutex {
  /** Resolves with the release function. Rejects with ERR_UNAVAILABLE when queue or wait is too long. */
  acquire(): Promise<() => void>;
}

export function createMutex(): Mutex {
  const waiting: { wake: () => void }[] = [];
  let isHeld = false;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) isHeld = false;
    else next.wake();
  };
  const once = (): (() => void) => {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      release();
    };
  };
  return {
    acquire: () => {
      if (!isHeld) {
        isHeld = true;
        return Promise.resolve(once());
      }
      if (waiting.length >= WAITERS_MAX) return Promise.reject(busy());
      return new Promise((resolve, reject) => {
        const waiter = {
          wake: () => {
            clearTimeout(timer);
            resolve(once());
          },
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(busy());
        }, WAIT_MS_MAX);
        waiting.push(waiter);
      });
    },
  };
}

function busy(): QfError {
  return new QfError("ERR_UNAVAILABLE", "the server is busy", { hint: "try again in a moment" });
}
