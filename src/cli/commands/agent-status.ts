import { command } from "../command.ts";
import { print, printJson } from "../output.ts";

export const agentStatus = command(
  `
Say how the agent of this machine is: its link, the age of its map, who is on it.

usage: qf agent status [-d] [--json] [--state-dir DIR]

options:
  -d, --detail     also peers, clock and flags
  --json           print all of it as JSON
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

Anybody may ask; sessions of others are shown to root and to the agent's own user only.

examples:
  qf agent status -d
  qf agent status --json
`,
  {
    meta: { name: "status", description: "Say how the agent is" },
    args: {
      detail: { type: "boolean", alias: "d", description: "Also peers, clock and flags" },
      json: { type: "boolean", description: "Print JSON" },
      "state-dir": { type: "string", valueHint: "dir", description: "State folder" },
    },
    async run({ args }) {
      const { agentStatus: ask, statusText } = await import("../../agent/status/status.ts");
      const status = await ask({ stateDir: args["state-dir"], environment: process.env });
      if (args.json === true) await printJson(status);
      else await print(statusText(status, args.detail === true));
    },
  },
);
