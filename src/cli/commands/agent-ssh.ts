import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";

export const agentSsh = command(
  `
Serve one SSH connection on stdin and stdout, as sshd -i does: for a ProxyCommand, inetd, and tests.

usage: qf agent ssh --stdio [--state-dir DIR]

options:
  --stdio          on stdin and stdout, which is the only way there is
  --state-dir DIR  the agent's state folder (default: as for qf agent up)

The running agent serves it, so that policy, limits and evidence are its own. Root and the agent's own
user may do this; whoever speaks signs in as anywhere else.

examples:
  ssh -o ProxyCommand='qf agent ssh --stdio' deploy@localhost
  qf agent ssh --stdio
  qf agent ssh --stdio --state-dir ~/qf-state
`,
  {
    meta: { name: "ssh", description: "Serve one connection on stdin and stdout" },
    args: {
      stdio: { type: "boolean", description: "On stdin and stdout" },
      "state-dir": { type: "string", valueHint: "dir", description: "State folder" },
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
