/** Stand-ins for programs of the system that are not there, or must not be called. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

/** Runs `work` while `names` are programs that succeed and do nothing. Their calls, in order. */
export async function withTools(names: readonly string[], work: () => Promise<void>): Promise<string[]> {
  const folder = tempFolder();
  const log = join(folder, "log");
  for (const name of names) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> ${log}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const before = process.env.PATH ?? "";
  process.env.PATH = `${folder}:${before}`;
  try {
    await work();
  } finally {
    process.env.PATH = before;
  }
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}
