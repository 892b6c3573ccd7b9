import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { say } from "../report.ts";

export const sshConfigInstall = command(
  `
Configure OpenSSH so that ssh, scp, sftp, rsync, git and other programs that run ssh reach your peers by
name. For root it configures the whole machine. For other users it writes a separate file and includes it
at the top of ~/.ssh/config. Nothing else changes, and other hosts are not affected.

usage: qf ssh-config install [--domain D] [--short-names] [--mine] [--json]

options:
  --domain D     the account's domain (default: what management says)
  --short-names  also match names without the domain, for machines whose name an administrator confirmed
  --mine         only for you, even as root
  --json         print {path, configPath, domain, warnings} as JSON

examples:
  qf ssh-config install
  qf ssh-config install --domain qf.internal --short-names
`,
  {
    args: {
      domain: { type: "string" },
      "short-names": { type: "boolean" },
      mine: { type: "boolean" },
      json: { type: "boolean" },
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
