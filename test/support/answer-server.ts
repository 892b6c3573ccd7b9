/** Starts `answer-main.ts`. */
import { chmodSync } from "node:fs";
import { resolve } from "node:path";
import { firstLine } from "./run-process.ts";

export interface AnswerServer extends AsyncDisposable {
  readonly path: string;
  readonly answer: string;
}

/** A server at `path` for everybody, whose answer has `bytes`: no more than a socket of the kernel holds. */
export async function startAnswerServer(path: string, bytes = 7_000): Promise<AnswerServer> {
  const main = resolve(import.meta.dir, "answer-main.ts");
  const child = Bun.spawn([process.execPath, main, path, String(bytes)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  await firstLine(child.stdout, 10_000);
  chmodSync(path, 0o777);
  return {
    path,
    answer: Buffer.alloc(bytes, "answer ").toString(),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
