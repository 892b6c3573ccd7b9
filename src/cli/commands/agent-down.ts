import { command } from "../command.ts";
import { print } from "../output.ts";

export const agentDown = command(
  `
Stop the agent and close its connections. Its state is kept. If it runs as a service, the service is
disabled, so it does not start at the next boot.

usage: qf agent down [--state-dir DIR]

options:
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

examples:
  qf agent down
  qf agent down --state-dir ~/qf-state
`,
  {
    args: { "state-dir": { type: "string" } },
    async run({ args }) {
      const { agentDown: down } = await import("../../agent/lifecycle/down.ts");
      const wasRunning = await down({ stateDir: args["state-dir"], environment: process.env });
      await print(wasRunning ? "the agent has stopped\n" : "no agent was running\n");
    },
  },
);
