import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { runProcess } from "../support/run-process.ts";

const SCRIPT = `
import { readFileSync } from "node:fs";
import { wipeArgument } from ${JSON.stringify(resolve(import.meta.dir, "../../src/base/wipe-argument.ts"))};
const isWiped = wipeArgument(process.env.WANTED ?? "");
const line = readFileSync("/proc/self/cmdline", "utf8").split("\\0");
console.log(JSON.stringify({ isWiped, line, argv: process.argv }));
`;

test.skipIf(process.platform !== "linux").each([
  ["apart", ["--setup-key", "qfs_secret"], ["--setup-key", "**********"]],
  ["with its flag", ["--setup-key=qfs_secret", "more"], ["--setup-key=**********", "more"]],
  ["twice", ["qfs_secret", "x", "qfs_secret"], ["**********", "x", "**********"]],
])(
  "a secret that stands %s on the command line is overwritten there, and still known",
  async (_n, words, want) => {
    const path = join(import.meta.dir, "../../dist", `wipe-${process.pid}.ts`);
    await Bun.write(path, SCRIPT);
    try {
      const { stdout } = await runProcess([process.execPath, path, ...words], {
        env: { WANTED: "qfs_secret" },
      });
      const { isWiped, line, argv } = JSON.parse(stdout);
      expect({ isWiped, line: line.slice(2, -1), argv: argv.slice(2) }).toEqual({
        isWiped: true,
        line: want,
        argv: words,
      });
    } finally {
      await Bun.file(path).delete();
    }
  },
);
