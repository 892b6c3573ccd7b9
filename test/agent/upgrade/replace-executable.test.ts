import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  removeLeftBuilds,
  replace,
  requireReplaceable,
  writeBuild,
} from "../../../src/agent/upgrade/replace-executable.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { aManifest, standIn } from "../../support/release.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const build = standIn("1.2.3");
const file = aManifest("1.2.3", build).targets["linux-x64"] ?? { name: "", size: 0, sha256: "" };

function packed(bytes: Uint8Array = build): ReadableStream<Uint8Array> {
  return new Blob([Uint8Array.from(Bun.zstdCompressSync(Buffer.from(bytes)))]).stream();
}

function place(): string {
  const path = join(tempFolder(), "qf");
  writeFileSync(path, "old", { mode: 0o755 });
  return path;
}

test("a build is written, tried, put in place, and taken back", async () => {
  const path = place();
  const fresh = await writeBuild(path, packed(), { file, version: "1.2.3" });
  expect(statSync(fresh).mode & 0o777).toBe(0o755);
  expect(readFileSync(path, "utf8")).toBe("old");
  const replacement = await replace(path, fresh);
  expect(readFileSync(path)).toEqual(Buffer.from(build));
  await replacement.goBack();
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(join(path, ".."))).toEqual(["qf"]);
});

test("the old file goes once the new one is kept", async () => {
  const path = place();
  const replacement = await replace(path, await writeBuild(path, packed(), { file, version: "1.2.3" }));
  await replacement.keep();
  expect(readdirSync(join(path, ".."))).toEqual(["qf"]);
});

test.each([
  ["longer than it says", Buffer.concat([build, Buffer.from("#".repeat(1_000_000))])],
  ["shorter", build.subarray(0, 10)],
  ["of the same length and other bytes", Buffer.from(build).fill("#", 20, 21)],
])("a build that is %s is refused, with nothing left", async (_what, bytes) => {
  const path = place();
  const error = await writeBuild(path, packed(bytes), { file, version: "1.2.3" }).catch(
    (cause: unknown) => cause,
  );
  expect(isQfError(error, "ERR_FORBIDDEN")).toBe(true);
  expect(readdirSync(join(path, ".."))).toEqual(["qf"]);
});

test("a place that cannot be written to is refused before anything is downloaded", async () => {
  await requireReplaceable(place());
  const error = await requireReplaceable("/proc/self/qf").catch((cause: unknown) => cause);
  expect(isQfError(error, "ERR_PERMISSION")).toBe(true);
});

test("what a killed upgrade left goes after some hours, and nothing that is not ours", async () => {
  const path = place();
  const folder = join(path, "..");
  const left = [".qf-aaaaaaaaaaaaaaaaaaaa.new", ".qf-aaaaaaaaaaaaaaaaaaaa.previous"];
  for (const name of [...left, ".qf-mine.new", ".qf.abcdef"]) writeFileSync(join(folder, name), "");
  const nowMs = Date.now();
  await removeLeftBuilds(path, nowMs + 3_600_000);
  expect(readdirSync(folder)).toHaveLength(5);
  await removeLeftBuilds(path, nowMs + 3 * 3_600_000);
  expect(readdirSync(folder).sort()).toEqual([".qf-mine.new", ".qf.abcdef", "qf"]);
});
