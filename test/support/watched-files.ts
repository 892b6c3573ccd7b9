/**
 * What the code under test asks of the files it has open, in order; single calls can be made to fail or to
 * wait.
 *
 * Works on the one prototype of all file handles, so that nothing in src has to know of it.
 */
import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";

const WATCHED = ["write", "writeFile", "datasync", "sync", "truncate", "chmod"] as const;
type Call = (typeof WATCHED)[number];
type Method = (this: FileHandle, ...args: unknown[]) => Promise<unknown>;

export interface WatchedFiles extends Disposable {
  /** `datasync 0000000000000001.jsonl`: each call once it has been done, by the last part of its path. */
  readonly calls: string[];
  /** Makes the next `times` calls fail with `code`. */
  fail(call: Call, code: string, times?: number): void;
  /** Makes calls wait until the returned function is called. */
  hold(call: Call): () => void;
  /** Called in place of the next call, with what the call does. */
  replace(call: Call, by: (file: FileHandle, real: Method, args: unknown[]) => Promise<unknown>): void;
}

/** Watches the files of this process until it is disposed. */
export async function watchFiles(): Promise<WatchedFiles> {
  const handle = await open("/dev/null");
  const prototype = Object.getPrototypeOf(handle) as Record<Call, Method>;
  await handle.close();
  const originals = new Map(WATCHED.map((call) => [call, prototype[call]]));
  const calls: string[] = [];
  const next = new Map<Call, ((file: FileHandle, real: Method, args: unknown[]) => Promise<unknown>)[]>();
  const held = new Map<Call, Promise<void>>();
  const releases: (() => void)[] = [];
  for (const [call, real] of originals) {
    prototype[call] = async function (...args) {
      const name = basename(readlinkSync(`/proc/self/fd/${this.fd}`));
      await held.get(call);
      const instead = next.get(call)?.shift();
      const result = instead === undefined ? await real.apply(this, args) : await instead(this, real, args);
      calls.push(`${call} ${name}`);
      return result;
    };
  }
  const replace: WatchedFiles["replace"] = (call, by) => {
    next.set(call, [...(next.get(call) ?? []), by]);
  };
  return {
    calls,
    replace,
    fail(call, code, times = 1) {
      for (let i = 0; i < times; i++) {
        replace(call, () => Promise.reject(Object.assign(new Error(`${code}: injected`), { code })));
      }
    },
    hold(call) {
      const gate = Promise.withResolvers<void>();
      held.set(call, gate.promise);
      const release = (): void => {
        held.delete(call);
        gate.resolve();
      };
      releases.push(release);
      return release;
    },
    [Symbol.dispose]() {
      for (const release of releases.splice(0)) release();
      for (const [call, real] of originals) prototype[call] = real;
    },
  };
}
