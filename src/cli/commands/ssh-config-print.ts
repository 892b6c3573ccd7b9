import { command } from "../command.ts";
import { print } from "../output.ts";

export const sshConfigPrint = command(
  `
Print the ssh configuration that qf ssh-config install would write, and change nothing.

usage: qf ssh-config print [--domain D] [--short-names] [--mine]

options:
  --domain D     the account's domain (default: what management says)
  --short-names  also names without the domain, of machines whose name an administrator has confirmed
  --mine         for you alone, even as root

examples:
  qf ssh-config print
  qf ssh-config print --domain qf.internal > ~/.ssh/qufabric.conf
`,
  {
    meta: { name: "print", description: "Print the configuration" },
    args: {
      domain: { type: "string", valueHint: "domain", description: "The account's domain" },
      "short-names": { type: "boolean", description: "Names without the domain as well" },
      mine: { type: "boolean", description: "For yourself alone" },
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
