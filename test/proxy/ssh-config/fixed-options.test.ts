import { expect, test } from "bun:test";
import { platformFor } from "../../../src/base/platform/platform.ts";
import { fixedLines, fixedOptions } from "../../../src/proxy/ssh-config/fixed-options.ts";

test.each([
  ["linux", "yes", "none"],
  ["darwin", "no", "none"],
  ["win32", "no", undefined],
])("on %s ssh gets the connection: %s; its file of host keys: %p", (name, passes, hostKeys) => {
  const options = fixedOptions(platformFor(name));
  expect(options.ProxyUseFdpass).toBe(passes);
  expect(options.UserKnownHostsFile).toBe(hostKeys);
});

test.each(["linux", "darwin", "win32"])(
  "on %s only a key may sign in, and a host key is never guessed",
  (name) => {
    const options = new Map(fixedLines(platformFor(name)));
    expect(options.get("StrictHostKeyChecking")).toBe("yes");
    expect(options.get("PasswordAuthentication")).toBe("no");
    expect(options.get("AddKeysToAgent")).toBe("no");
  },
);
