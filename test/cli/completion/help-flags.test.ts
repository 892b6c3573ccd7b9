import { expect, test } from "bun:test";
import { helpFlags } from "../../../src/cli/completion/help-flags.ts";

test("rows of options are read, whatever their layout, and examples are not", () => {
  const help = `Purpose.

usage: qf x [--json]

options:
  -n, --lines N,           how many
  --groups GROUP,...       groups; may be repeated
  --authorized-groups GROUP=USER,...
                           OS users for the members of a group
                           on two lines
  --json                   print JSON
  -l NAME    the user

not a flag --here
examples:
  qf x --json

examples:
  --none  x
`;
  expect(helpFlags(help)).toEqual([
    { names: ["-n", "--lines"], placeholder: "N,", about: "how many" },
    { names: ["--groups"], placeholder: "GROUP,...", about: "groups; may be repeated" },
    {
      names: ["--authorized-groups"],
      placeholder: "GROUP=USER,...",
      about: "OS users for the members of a group",
    },
    { names: ["--json"], placeholder: undefined, about: "print JSON" },
    { names: ["-l"], placeholder: "NAME", about: "the user" },
  ]);
});
