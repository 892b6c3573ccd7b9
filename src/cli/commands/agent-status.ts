import { command } from "../command.ts";
import { print, printJson } from "../output.ts";

export const agentStatus = command(
  `
Show the state of this machine's agent: its link to management, the age of its map, and who is connected.

usage: qf agent status [-d] [--json] [--state-dir DIR]

options:
  -d, --detail     also show peers, clock and flags
  --json           print everything as JSON
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

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
      const { agentStatus: ask, statusText } = await import("../../agent/status/status.ts");
      const status = await ask({ stateDir: args["state-dir"], environment: process.env });
      if (args.json === true) await printJson(status);
      else await print(statusText(status, args.detail === true));
    },
  },
);
