/** Looking for cgroups without changing anything, in folders made as the kernel makes them. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectionFolders, hasCgroups } from "../../../src/agent/os/containment.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A mount of cgroup v2 with the folders of connections, each populated or not. */
function aMount(connections: Record<string, boolean>, hasKill = true): { mounts: string; root: string } {
  const root = tempFolder();
  mkdirSync(join(root, "init.scope"));
  if (hasKill) writeFileSync(join(root, "init.scope", "cgroup.kill"), "");
  for (const [id, isPopulated] of Object.entries(connections)) {
    const folder = join(root, "qufabric", id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cgroup.events"), `populated ${isPopulated ? 1 : 0}\nfrozen 0\n`);
  }
  return { mounts: `proc /proc proc rw 0 0\ncgroup2 ${root} cgroup2 rw 0 0\n`, root };
}

test("cgroup v2 is there when it is mounted and can kill", () => {
  expect(hasCgroups(aMount({}).mounts)).toBe(true);
  expect(hasCgroups(aMount({}, false).mounts)).toBe(false);
  expect(hasCgroups("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n")).toBe(false);
  expect(hasCgroups("cgroup2 /nonexistent cgroup2 rw 0 0\n")).toBe(false);
});

test("connections are counted as long as something of them runs", () => {
  expect(connectionFolders(aMount({ one: true, two: false, three: true }).mounts)).toBe(2);
  expect(connectionFolders(aMount({}).mounts)).toBe(0);
  expect(connectionFolders("")).toBe(0);
});
