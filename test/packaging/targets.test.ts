import { expect, test } from "bun:test";
import { LEFT_OUT, RUNTIME_VERSION, TARGET_BUILDS } from "../../packaging/targets.ts";
import { ReleaseFile, TARGETS } from "../../src/wire/release.ts";

test("every target is built, or left out with the reason", () => {
  const wrong = TARGETS.filter(
    (target) => (TARGET_BUILDS[target] === undefined) === (LEFT_OUT[target] === undefined),
  );
  expect(wrong).toEqual([]);
});

test("the runtimes are of the Bun that builds, and pinned", () => {
  expect(RUNTIME_VERSION).toBe(Bun.version);
  for (const { integrity, name } of Object.values(TARGET_BUILDS)) {
    expect(Buffer.from(integrity.replace("sha512-", ""), "base64")).toHaveLength(64);
    expect(ReleaseFile.shape.name.safeParse(name).success).toBe(true);
  }
  const digests = Object.values(TARGET_BUILDS).map(({ integrity }) => integrity);
  expect(new Set(digests).size).toBe(digests.length);
});
