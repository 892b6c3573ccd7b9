import { timeText } from "../../base/moment.ts";
import { openClientSession } from "../../client/client-session.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { parseUrl } from "../parse.ts";
import { describeUser } from "../words.ts";

export const whoami = command(
  `
Show who is signed in on this device, which device it is, and at which management server. Works offline.

usage: qf whoami [--management-url URL] [--json]

options:
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                print {user, device, management, login} as JSON; user is null if nobody is

examples:
  qf whoami
  qf whoami --json
`,
  {
    args: {
      "management-url": { type: "string" },
      json: { type: "boolean" },
    },
    async run({ args }) {
      const url = args["management-url"];
      await showClient(url === undefined ? undefined : parseUrl("management-url", url), args.json === true);
    },
  },
);

/** Shows who is signed in, on which device and where. `qf status` prints it too when there is no agent. */
export async function showClient(managementUrl: string | undefined, isJson: boolean): Promise<void> {
  const session = await openClientSession({ managementUrl });
  const { devices, ttlSeconds } = await session.folder.readConfig();
  const device = devices[session.api.origin];
  const kept = await session.cachedLogin();
  const user = kept?.user ?? device?.user;
  if (isJson) {
    await printJson({
      user: user ?? null,
      device: { peerId: device?.peerId ?? null, publicKey: session.deviceKey.publicKey },
      management: { url: session.api.origin, accountId: device?.accountId ?? null },
      login: {
        keptUntilSeconds: kept?.keptUntilSeconds ?? null,
        ttlSeconds: ttlSeconds ?? session.machine?.ttlSeconds ?? 0,
      },
    });
    return;
  }
  const until = kept?.keptUntilSeconds;
  await print(
    [
      `user        ${user === undefined ? "nobody is signed in" : describeUser(user)}`,
      `login       ${until ? `kept until ${timeText(until)}` : "none kept: a connection signs in"}`,
      `device      ${device?.peerId ?? "not registered yet"}`,
      `management  ${session.api.origin}`,
      "",
    ].join("\n"),
  );
}
