import { command } from "../command.ts";
import { print } from "../output.ts";

export const sshConfigPrint = command(
  `
Print the ssh configuration that qf ssh-config install would write. Changes nothing.

usage: qf ssh-config print [--domain D] [--short-names] [--mine]

options:
  --domain D     the account's domain (default: what management says)
  --short-names  also match names without the domain, for machines whose name an administrator confirmed
  --mine         only for you, even as root

examples:
  qf ssh-config print
  qf ssh-config print --domain qf.internal > ~/.ssh/qufabric.conf
`,
  {
    args: {
      domain: { type: "string" },
      "short-names": { type: "boolean" },
      mine: { type: "boolean" },
    },
    async run({ args }) {
      const { planSshConfig } = await import("../../proxy/ssh-config/ssh-config.ts");
      const plan = await planSshConfig({
        environment: process.env,
        isSystem: process.getuid?.() === 0 && args.mine !== true,
        shortNames: args["short-names"] === true,
        domain: args.domain,
      });
      await print(plan.text);
    },
  },
);
