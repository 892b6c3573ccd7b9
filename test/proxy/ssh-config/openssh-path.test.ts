import { expect, test } from "bun:test";
import { platformFor } from "../../../src/base/platform/platform.ts";
import { opensshPath } from "../../../src/proxy/ssh-config/openssh-path.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("ssh is the one on PATH", () => {
  expect(opensshPath({ PATH: "/usr/bin:/bin" })).toBe("/usr/bin/ssh");
  expect(opensshPath({ PATH: tempFolder() })).toBeNull();
});

test("on Windows without its own it is the one on PATH", () => {
  const windows = platformFor("win32");
  expect(opensshPath({ PATH: "/usr/bin", SystemRoot: tempFolder() }, windows)).toBe("/usr/bin/ssh");
});
