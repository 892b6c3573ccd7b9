import { command } from "../command.ts";
import { print } from "../output.ts";

export const sshConfigRemove = command(
  `
Take away what qf ssh-config install has put there: as root that of the machine, else yours. Your ssh
configuration is byte for byte what it was without it.

usage: qf ssh-config remove [--mine]

options:
  --mine  yours, even as root

examples:
  qf ssh-config remove
  qf ssh-config remove --mine
`,
  {
    meta: { name: "remove", description: "Take the configuration away" },
    args: { mine: { type: "boolean", description: "Yours, even as root" } },
    async run({ args }) {
      const { removeSshConfig } = await import("../../proxy/ssh-config/ssh-config.ts");
      const isSystem = process.getuid?.() === 0 && args.mine !== true;
      const removed = removeSshConfig({ environment: process.env, isSystem });
      await print(removed ? "ssh is as it was.\n" : "There was nothing to remove.\n");
    },
  },
);
