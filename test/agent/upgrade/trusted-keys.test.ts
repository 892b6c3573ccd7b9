import { expect, test } from "bun:test";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { trustedReleaseKeys } from "../../../src/agent/upgrade/trusted-keys.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("a development build trusts no key, and root may add one", async () => {
  const path = join(tempFolder(), "release-keys");
  expect(await trustedReleaseKeys(path)).toEqual([]);
  expect(await trustedReleaseKeys(path, ["ssh-ed25519 AAAA"])).toEqual(["ssh-ed25519 AAAA"]);
  writeFileSync(path, "# ours\n\nssh-ed25519 BBBB ada\n", { mode: 0o644 });
  const keys = trustedReleaseKeys(path, ["ssh-ed25519 AAAA"]);
  if (isRoot) expect(await keys).toEqual(["ssh-ed25519 AAAA", "ssh-ed25519 BBBB ada"]);
  else await keys.catch(() => {});
});

test.if(isRoot).each([
  ["belongs to another user", (path: string) => chownSync(path, 65_534, 0)],
  ["may be written by a group", (path: string) => chmodSync(path, 0o664)],
  ["may be written by everybody", (path: string) => chmodSync(path, 0o646)],
])("a file that %s is refused", async (_what, change) => {
  const path = join(tempFolder(), "release-keys");
  writeFileSync(path, "ssh-ed25519 BBBB\n", { mode: 0o644 });
  change(path);
  const error = await trustedReleaseKeys(path).catch((cause: unknown) => cause);
  expect(isQfError(error, "ERR_PERMISSION")).toBe(true);
});
