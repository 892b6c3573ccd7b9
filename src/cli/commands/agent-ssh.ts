import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";

export const agentSsh = command(
  `
Serve one SSH connection on stdin and stdout, as sshd -i does: for a ProxyCommand, inetd, and tests.

usage: qf agent ssh --stdio [--state-dir DIR]

options:
  --stdio          required: use stdin and stdout
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

The running agent serves the connection, with its policy, limits and audit log. Only root and the user
that runs the agent may use this command. The SSH client still has to sign in as on any other path.

examples:
  ssh -o ProxyCommand='qf agent ssh --stdio' deploy@localhost
  qf agent ssh --stdio
  qf agent ssh --stdio --state-dir ~/qf-state
`,
  {
    args: {
      stdio: { type: "boolean" },
      "state-dir": { type: "string" },
    },
    async run({ args }) {
      if (args.stdio !== true) {
        throw new QfError("ERR_USAGE", "say that the connection is on stdin and stdout", {
          hint: "qf agent ssh --stdio; to log in to a peer: qf ssh",
        });
      }
      const { serveStdio } = await import("../../agent/control-socket/stdio.ts");
      await serveStdio({ stateDir: args["state-dir"], environment: process.env });
    },
  },
);
