import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { liveNames } from "../../../src/cli/completion/names.ts";
import { NAME_KINDS } from "../../../src/cli/completion/values.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const VARIABLES = ["QF_CONFIG_DIR", "QF_MANAGEMENT_URL", "QF_TOKEN", "QF_TOKEN_FILE"] as const;
const before = new Map<string, string | undefined>();

beforeEach(() => {
  for (const name of VARIABLES) {
    before.set(name, process.env[name]);
    delete process.env[name];
  }
});

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test.each(NAME_KINDS)(
  "there is no name of kind %s for a person without a folder, and none is made",
  async (kind) => {
    const folder = tempFolder();
    const configDir = join(folder, "none");
    process.env.QF_CONFIG_DIR = configDir;
    expect(await liveNames(kind)).toEqual([]);
    expect(existsSync(configDir)).toBe(false);
  },
);

test("a token file that cannot be read is no name, and no failure", async () => {
  const folder = tempFolder();
  process.env.QF_CONFIG_DIR = join(folder, "none");
  process.env.QF_TOKEN_FILE = join(folder, "no-file");
  expect(await liveNames("group")).toEqual([]);
});
