import { COMMIT, VERSION, VERSION_LINE } from "../../base/build-info.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";

export const version = command(
  `
Show which build of QuFabric this is.

usage: qf version [--json]

options:
  --json    print {version, commit} as JSON

examples:
  qf version
  qf version --json
`,
  {
    args: { json: { type: "boolean" } },
    async run({ args }) {
      await (args.json === true
        ? printJson({ version: VERSION, commit: COMMIT })
        : print(`${VERSION_LINE}\n`));
    },
  },
);
