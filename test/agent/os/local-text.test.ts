import { beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLocalText, readUnchangedText } from "../../../src/agent/os/local-text.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let path: string;
beforeEach(() => {
  path = join(tempFolder(), "passwd");
  writeFileSync(path, "one\n");
});

/** A moment at which the file counts as unchanged for long. */
const later = (): number => statSync(path).ctimeMs + 60_000;

test("a file that is not there is empty", () => {
  expect(readLocalText(`${path}.none`)).toBe("");
  expect(readUnchangedText(`${path}.none`)).toBe("");
});

describe("a file that was read before and", () => {
  const changes: readonly [string, () => void][] = [
    ["was replaced by another of the same size", replaced],
    ["was written to in place, in the same size and with its old time", rewritten],
    ["has become longer", () => writeFileSync(path, "one\ntwo\n")],
    ["was shortened", () => writeFileSync(path, "o\n")],
    ["is gone", () => rmSync(path)],
  ];
  test.each(changes)("%s is read again", (_what, change) => {
    expect(readUnchangedText(path, later())).toBe("one\n");
    expect(readUnchangedText(path, later())).toBe("one\n");
    change();
    expect(readUnchangedText(path, Date.now())).toBe(readLocalText(path));
    expect(readLocalText(path)).not.toBe("one\n");
  });

  test("was changed within the same moment is read again", () => {
    // The first read comes so soon after a change that a second change could look the same.
    const soon = statSync(path).ctimeMs + 900;
    expect(readUnchangedText(path, soon)).toBe("one\n");
    const reads = countReads(() => readUnchangedText(path, soon));
    expect(reads).toBe(1);
  });

  test("has not changed is not read again", () => {
    readUnchangedText(path, later());
    // Another thread of this process may read something meanwhile, but not each time.
    const reads = Array.from({ length: 20 }, () => countReads(() => readUnchangedText(path, later())));
    expect(Math.min(...reads)).toBe(0);
  });

  test("may be read by others now is read again", () => {
    readUnchangedText(path, later());
    chmodSync(path, 0o640);
    expect(countReads(() => readUnchangedText(path, later()))).toBe(1);
  });
});

function replaced(): void {
  writeFileSync(`${path}.new`, "two\n");
  renameSync(`${path}.new`, path);
}

function rewritten(): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(path, "two\n");
  utimesSync(path, atime, mtime);
}

/** How often the kernel was asked for bytes of a file meanwhile. */
function countReads(act: () => unknown): number {
  const calls = (): number => Number(/^syscr: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
  // What it costs to look, which is the same each time.
  const ownCost = (): number => {
    const before = calls();
    return calls() - before;
  };
  ownCost();
  const own = ownCost();
  const before = calls();
  act();
  return Math.min(1, Math.max(0, calls() - before - own));
}
