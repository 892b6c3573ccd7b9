import { expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openOpensshFolder, opensshFolderPath } from "../../../src/proxy/keys/openssh-folder.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** Target of the link at `path`. Undefined for a plain folder. */
function linkTarget(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

test("the path is the same whatever else the environment says", () => {
  const path = "/home/ada/.config/qufabric/openssh";
  expect(opensshFolderPath({ HOME: "/home/ada" }, undefined)).toBe(path);
  expect(
    opensshFolderPath({ HOME: "/home/ada", XDG_CONFIG_HOME: "/x", QF_CONFIG_DIR: "/y" }, undefined),
  ).toBe(path);
  expect(opensshFolderPath({}, "/etc/x")).toBe("/etc/x/openssh");
  expect(() => opensshFolderPath({ HOME: "relative" }, undefined)).toThrow("HOME is not set");
});

test("without a session folder it is a folder of its own, for nobody else", () => {
  const home = tempFolder();
  const path = openOpensshFolder({ HOME: home }, undefined);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(linkTarget(path)).toBeUndefined();
  expect(openOpensshFolder({ HOME: home, XDG_RUNTIME_DIR: tempFolder() }, undefined)).toBe(path);
  expect(linkTarget(path)).toBeUndefined();
});

test("with a session folder it leads there, and to the next one when that is gone", () => {
  const home = tempFolder();
  const [first, second] = [tempFolder(), tempFolder()];
  const path = openOpensshFolder({ HOME: home, XDG_RUNTIME_DIR: first }, undefined);
  expect(linkTarget(path)).toBe(join(first, "qufabric/openssh"));
  openOpensshFolder({ HOME: home, XDG_RUNTIME_DIR: second }, undefined);
  expect(linkTarget(path)).toBe(join(first, "qufabric/openssh"));
  rmSync(join(first, "qufabric"), { recursive: true });
  openOpensshFolder({ HOME: home, XDG_RUNTIME_DIR: second }, undefined);
  expect(linkTarget(path)).toBe(join(second, "qufabric/openssh"));
  rmSync(join(second, "qufabric"), { recursive: true });
  openOpensshFolder({ HOME: home }, undefined);
  expect(lstatSync(path).isDirectory()).toBe(true);
});

test("a session folder that others may enter is not used", () => {
  const home = tempFolder();
  const open = tempFolder();
  chmodSync(open, 0o755);
  expect(linkTarget(openOpensshFolder({ HOME: home, XDG_RUNTIME_DIR: open }, undefined))).toBeUndefined();
});

test("a folder that others may enter, and what is no folder, is refused", () => {
  for (const make of [
    (path: string) => mkdirSync(path, { mode: 0o755 }),
    (path: string) => writeFileSync(path, ""),
    (path: string) => symlinkSync("/tmp", path),
  ]) {
    const home = tempFolder();
    mkdirSync(join(home, ".config/qufabric"), { recursive: true });
    make(join(home, ".config/qufabric/openssh"));
    expect(() => openOpensshFolder({ HOME: home }, undefined)).toThrow("open to others");
  }
});
