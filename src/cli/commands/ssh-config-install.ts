import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { say } from "../report.ts";

export const sshConfigInstall = command(
  `
Make ssh, scp, sftp, rsync, git and whatever runs ssh reach your peers by their names. As root for everybody on
this machine, else for you: a file of its own, included at the top of ~/.ssh/config. Nothing else is touched, and
other hosts are as they were.

usage: qf ssh-config install [--domain D] [--short-names] [--mine] [--json]

options:
  --domain D     the account's domain (default: what management says)
  --short-names  also names without the domain, of machines whose name an administrator has confirmed
  --mine         for you alone, even as root
  --json         print {path, configPath, domain, warnings} as JSON

examples:
  qf ssh-config install
  qf ssh-config install --domain qf.internal --short-names
`,
  {
    meta: { name: "install", description: "Make OpenSSH reach peers" },
    args: {
      domain: { type: "string", valueHint: "domain", description: "The account's domain" },
      "short-names": { type: "boolean", description: "Names without the domain as well" },
      mine: { type: "boolean", description: "For yourself alone" },
      json: { type: "boolean", description: "Print JSON" },
    },
    async run({ args }) {
      const { installSshConfig } = await import("../../proxy/ssh-config/ssh-config.ts");
      const installed = await installSshConfig({
        environment: process.env,
        isSystem: process.getuid?.() === 0 && args.mine !== true,
        shortNames: args["short-names"] === true,
        domain: args.domain,
      });
      for (const warning of installed.warnings) say("warning", warning);
      if (args.json === true) return void (await printJson(installed));
      await print(`ssh reaches *.${installed.domain} now, by ${installed.path}.\n`);
    },
  },
);
