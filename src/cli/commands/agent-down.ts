import { command } from "../command.ts";
import { print } from "../output.ts";

export const agentDown = command(
  `
Stop the agent and close its connections. Its state is kept. If it runs as a service, the service is
disabled, so it does not start at the next boot.

usage: qf agent down [--uninstall] [--state-dir DIR]

options:
  --uninstall      also remove the service, what it set up for ssh, and the agent's state: its keys, its
                   flags and audit events that management has not received. The machine stays listed until it
                   is deleted there
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

examples:
  qf agent down
  qf agent down --uninstall
`,
  {
    args: { uninstall: { type: "boolean" }, "state-dir": { type: "string" } },
    async run({ args }) {
      const { agentDown: down } = await import("../../agent/lifecycle/down.ts");
      const where = { stateDir: args["state-dir"], environment: process.env };
      const wasRunning = await down(where);
      if (args.uninstall === true) {
        const { uninstallAgent } = await import("../../agent/lifecycle/uninstall.ts");
        await uninstallAgent(where);
        // The ssh configuration that qf agent up installed for all users.
        if (where.stateDir === undefined && !process.env.QF_STATE_DIR && process.getuid?.() === 0) {
          const { removeSshConfig } = await import("../../proxy/ssh-config/ssh-config.ts");
          removeSshConfig({ environment: process.env, isSystem: true });
        }
        return void (await print("the agent and its state are removed\n"));
      }
      await print(wasRunning ? "the agent has stopped\n" : "no agent was running\n");
    },
  },
);
