import { existsSync } from "node:fs";
import { join } from "node:path";
import { clientStateDirs } from "../../base/state-dir.ts";
import { clientFolderPath } from "../../client/client-folder.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { say } from "../report.ts";
import { showClient } from "./whoami.ts";

export const agentStatus = command(
  `
Show the state of this machine's agent: its link to management, the age of its map, and who is connected.

usage: qf agent status [-d] [--json] [--state-dir DIR]

options:
  -d, --detail     also show peers, clock and flags
  --json           print everything as JSON
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

On a person's own computer, where no agent was ever set up, it shows what qf whoami shows.

Any user may run this. Only root and the user that runs the agent see other people's sessions.

examples:
  qf agent status -d
  qf agent status --json
`,
  {
    args: {
      detail: { type: "boolean", alias: "d" },
      json: { type: "boolean" },
      "state-dir": { type: "string" },
    },
    async run({ args }) {
      const isNamed = args["state-dir"] !== undefined || (process.env.QF_STATE_DIR ?? "") !== "";
      if (!isNamed && isClientAlone()) {
        say("note", "this computer has no agent: this is its person's side, and qf ls lists their machines");
        return showClient(undefined, args.json === true);
      }
      const { agentStatus: ask, statusText } = await import("../../agent/status/status.ts");
      const status = await ask({ stateDir: args["state-dir"], environment: process.env });
      if (args.json === true) await printJson(status);
      else await print(statusText(status, args.detail === true));
    },
  },
);

/** Whether this machine is not enrolled and a person is signed in: then `status` is about that person. */
function isClientAlone(): boolean {
  const folders = clientStateDirs(process.geteuid?.() ?? 0, process.env);
  const hasAgent = folders.some((folder) => existsSync(join(folder, "agent.json")));
  return !hasAgent && existsSync(join(clientFolderPath(process.env), "config.json"));
}
