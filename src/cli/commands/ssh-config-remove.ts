import { command } from "../command.ts";
import { print } from "../output.ts";

export const sshConfigRemove = command(
  `
Remove what qf ssh-config install wrote: for root the configuration of the machine, for other users their
own. Leaves your ssh configuration byte for byte as it was before.

usage: qf ssh-config remove [--mine]

options:
  --mine  only your own, even as root

examples:
  qf ssh-config remove
  qf ssh-config remove --mine
`,
  {
    args: { mine: { type: "boolean" } },
    async run({ args }) {
      const { removeSshConfig } = await import("../../proxy/ssh-config/ssh-config.ts");
      const isSystem = process.getuid?.() === 0 && args.mine !== true;
      const removed = removeSshConfig({ environment: process.env, isSystem });
      await print(removed ? "ssh is as it was.\n" : "There was nothing to remove.\n");
    },
  },
);
