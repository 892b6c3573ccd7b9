import { beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { groupMembers } from "../../../src/agent/os/group-members.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let folder: string;
beforeAll(() => {
  folder = tempFolder();
  writeFileSync(
    join(folder, "group"),
    "root:x:0:\nstaff:x:50:ada,bob\nada:x:1000:\nempty:x:60:\nstaffers:x:51:eve\n",
  );
  writeFileSync(
    join(folder, "passwd"),
    "ada:x:1000:1000::/home/ada:/bin/sh\ncleo:x:1002:50::/home/cleo:/bin/sh\nzed:x:1003:51::/:/bin/sh\n",
  );
});

test.each<[name: string, want: readonly string[] | null]>([
  ["staff", ["ada", "bob", "cleo"]],
  ["ada", ["ada"]],
  ["empty", []],
  ["staf", null],
  ["nobody-here", null],
])("the members of %s, by their list and by their primary group", (name, want) => {
  expect(groupMembers(name, folder)).toEqual(want);
});
