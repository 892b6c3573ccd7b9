import { dirname } from "node:path";
import { timeText } from "../../base/moment.ts";
import { printable } from "../../base/printable.ts";
import { type ClientSession, openClientSession } from "../../client/client-session.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { parseSeconds, parseUrl } from "../parse.ts";
import { say } from "../report.ts";
import { describeUser } from "../words.ts";

export const login = command(
  `
Sign in on this device with your identity provider, and register the device. Needs neither root nor an agent.

usage: qf login [--management-url URL] [--ssh-jwt-cache-ttl SECONDS] [--no-browser] [--json]

options:
  --management-url URL         management server; remembered for next time
                               (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --ssh-jwt-cache-ttl SECONDS  how long a login is reused; remembered for next time, limited by the account
                               (default: this machine's setting, otherwise 0: sign in for every connection)
  --no-browser                 print a link to open on any device instead of opening a browser here
  --json                       print {user, device, management, login} as JSON

examples:
  qf login --management-url https://qf.example.com --ssh-jwt-cache-ttl 28800
  qf login --no-browser
`,
  {
    args: {
      "management-url": { type: "string" },
      "ssh-jwt-cache-ttl": { type: "string" },
      browser: { type: "boolean", default: true, negativeDescription: "Use the hosted page" },
      json: { type: "boolean" },
    },
    async run({ args }) {
      const url = args["management-url"];
      const ttl = args["ssh-jwt-cache-ttl"];
      const managementUrl = url === undefined ? undefined : parseUrl("management-url", url);
      const ttlSeconds = ttl === undefined ? undefined : parseSeconds("ssh-jwt-cache-ttl", ttl);
      const session = await openClientSession({ managementUrl, noBrowser: !args.browser });
      const { domain } = await session.api.config(); // Throws before an unreachable server is stored.
      await session.folder.updateConfig((config) => ({
        ...config,
        ...(managementUrl === undefined && config.managementUrl !== undefined
          ? {}
          : { managementUrl: session.api.origin }),
        ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      }));
      const made = await session.login({ fresh: true });
      if (made.deviceStatus === "pending") {
        say("warning", "this device waits for an administrator's approval and opens nothing yet");
      }
      if (args.json === true) {
        await keepNames(session);
        await printJson({
          user: made.user,
          device: { peerId: made.devicePeerId, name: made.deviceName, status: made.deviceStatus },
          management: { url: session.api.origin, accountId: made.scope.accountId },
          login: { keptUntilSeconds: made.keptUntilSeconds },
        });
        return;
      }
      const device = printable(made.deviceName ?? made.devicePeerId);
      await print(
        `Signed in as ${describeUser(made.user)}; this device is ${device}.\n${
          made.keptUntilSeconds === null
            ? "The login is not kept: every connection signs in (--ssh-jwt-cache-ttl keeps it).\n"
            : `The login is kept until ${timeText(made.keptUntilSeconds)}${untilLogOut(session)}.\n`
        }`,
      );
      await keepNames(session);
      const { maybeInstallSshConfig } = await import("../../proxy/ssh-config/offer-ssh-config.ts");
      await maybeInstallSshConfig({ occasion: "login", domain });
    },
  },
);

/** Says that logins in the session's own folder (XDG_RUNTIME_DIR) end when the session does. */
function untilLogOut({ folder }: ClientSession): string {
  return dirname(folder.loginsPath) === folder.path
    ? ""
    : ", or until your last session on this computer ends";
}

/** Refreshes OpenSSH's short names. A failure does not fail the login. */
async function keepNames(session: ClientSession): Promise<void> {
  const { refreshShortNames } = await import("../../proxy/ssh-config/short-names.ts");
  await refreshShortNames({ environment: process.env, configDir: session.folder.path, session });
}
