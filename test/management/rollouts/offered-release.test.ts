import { expect, test } from "bun:test";
import { isQfError } from "../../../src/base/errors.ts";
import { type OfferedReleases, requireOffered } from "../../../src/management/rollouts/offered-release.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { offering } from "../../support/offered-releases.ts";

const NONE: OfferedReleases = {
  latest: async () => undefined,
  manifest: async () => undefined,
  signature: async () => undefined,
};
const unsigned: OfferedReleases = { ...offering("1.2.0"), signature: async () => undefined };

// Each row differs from the first in one respect.
test.each<[string, OfferedReleases, string | undefined, string]>([
  ["the newest", offering("1.2.0"), undefined, "1.2.0"],
  ["one by its name", offering("1.2.0"), "1.2.0", "1.2.0"],
  ["one that is not there", offering("1.2.0"), "1.3.0", "ERR_NOT_FOUND"],
  ["a server without any", NONE, undefined, "ERR_NOT_FOUND"],
  ["a damaged manifest", { ...offering("1.2.0"), manifest: async () => "{" }, undefined, "ERR_NOT_FOUND"],
  ["an old one under a new name", offering("1.2.0", { version: "1.1.0" }), undefined, "ERR_CONFLICT"],
  ["one without a signature", unsigned, undefined, "ERR_CONFLICT"],
  ["one that has expired", offering("1.2.0", { expiry: "2020-01-01T00:00:00Z" }), undefined, "ERR_CONFLICT"],
  ["one that was withdrawn", offering("1.2.0", { withdrawn: ["1.2.0"] }), undefined, "ERR_CONFLICT"],
])("%s", async (_what, releases, asked, want) => {
  const said = await requireOffered(releases, asked, new FakeClock()).catch((error: unknown) =>
    isQfError(error) ? error.code : String(error),
  );
  expect(said).toBe(want);
});
