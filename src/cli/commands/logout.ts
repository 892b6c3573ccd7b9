import { openClientSession } from "../../client/client-session.ts";
import type { ClientConfigFile } from "../../wire/state-file.ts";
import { command } from "../command.ts";
import { print } from "../output.ts";
import { parseUrl } from "../parse.ts";

/** Forgets the device's user. The device stays registered. */
function forgetUser(config: ClientConfigFile, origin: string): ClientConfigFile {
  const device = config.devices[origin];
  if (device === undefined) return config;
  const { peerId, accountId } = device;
  return { ...config, devices: { ...config.devices, [origin]: { peerId, accountId } } };
}

export const logout = command(
  `
Sign out: management revokes the stored login and it is deleted here. Open connections are checked again.

usage: qf logout [--management-url URL]

options:
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)

examples:
  qf logout
  qf logout --management-url https://qf.example.com
`,
  {
    args: { "management-url": { type: "string" } },
    async run({ args }) {
      const url = args["management-url"];
      const managementUrl = url === undefined ? undefined : parseUrl("management-url", url);
      const session = await openClientSession({ managementUrl });
      const login = await session.cachedLogin();
      await session.cache.remove(session.api.origin);
      await session.folder.updateConfig((config) => forgetUser(config, session.api.origin));
      await forgetOpensshKeys(session.folder.path);
      if (login === undefined) {
        await print("No login was kept here.\n");
        return;
      }
      // Deletes the local login first, so that this device cannot use it whatever management answers.
      await session.revoke(login);
      await print("Signed out.\n");
    },
  },
);

/** Deletes the keys and certificates that ssh(1) got from the login. */
async function forgetOpensshKeys(configDir: string): Promise<void> {
  const { forgetKeys } = await import("../../proxy/keys/key-files.ts");
  const { opensshFolderPath } = await import("../../proxy/keys/openssh-folder.ts");
  forgetKeys(opensshFolderPath(process.env, configDir));
  if (process.env.HOME) forgetKeys(opensshFolderPath(process.env, undefined));
}
