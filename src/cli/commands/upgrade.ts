import { VERSION } from "../../base/build-info.ts";
import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { isCompiled } from "../../base/own-command.ts";
import { managementUrlOf } from "../../client/management-url.ts";
import { MANIFEST_BYTES_MAX, ReleaseVersion } from "../../wire/release.ts";
import { Id } from "../../wire/units.ts";
import { command } from "../command.ts";
import { print } from "../output.ts";
import { say } from "../report.ts";

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

export const upgrade = command(
  `
Move this machine to a newer release, which its management server hands out. The release must be signed by
the publisher, in date, not withdrawn, and above every version that ran here. If an agent runs, it is started
anew; if it does not come up, the old version takes its place again.

usage: qf upgrade [--check] [--version V] [--allow-downgrade]
       qf upgrade --version V --order ID
       qf upgrade --verify FILE

options:
  --check               only say whether there is a newer release: exit status 0 if there is none, 1 if there
                        is one or if it could not find out
  --version V           move to this version (default: the newest that the server has)
  --allow-downgrade     allow a version below the highest that ran here
  --management-url URL  server to ask (default: the one that this machine belongs to)
  --state-dir DIR       the agent's state folder (default: as for qf agent up)
  --order ID            keep what becomes of it as management's order ID, and go back where the new agent
                        does not reach management: the agent runs this (--allow-managed-upgrades)
  --verify FILE         only check that the manifest in FILE is signed, by FILE.sig, by the publisher

examples:
  qf upgrade --check
  qf upgrade --version 1.2.3
`,
  {
    args: {
      check: FLAG,
      version: TEXT,
      "allow-downgrade": FLAG,
      "management-url": TEXT,
      "state-dir": TEXT,
      order: TEXT,
      verify: TEXT,
    },
    async run({ args }) {
      if (args.order !== undefined) return void (await order(args.order, args));
      const { trustedReleaseKeys } = await import("../../agent/upgrade/trusted-keys.ts");
      const keys = await trustedReleaseKeys();
      if (args.verify !== undefined) return void (await verify(args.verify, keys));
      if (args.version !== undefined && !ReleaseVersion.safeParse(args.version).success) {
        throw new QfError("ERR_USAGE", `${JSON.stringify(args.version)} is not a version`, {
          hint: "as in 1.2.3",
        });
      }
      const options = await optionsOf(args, keys);
      const parts = await import("../../agent/upgrade/upgrade.ts");
      if (args.check === true) {
        const { version, isNewer } = await parts.findOffer(options);
        await print(isNewer ? `${version} is available; this is ${VERSION}\n` : `${VERSION} is the newest\n`);
        return isNewer ? 1 : 0;
      }
      const version = await parts.upgrade(options);
      await print(
        version === VERSION ? `${VERSION} is the newest\n` : `upgraded from ${VERSION} to ${version}\n`,
      );
      return 0;
    },
  },
);

interface Given {
  readonly version?: string | undefined;
  readonly "allow-downgrade"?: boolean | undefined;
  readonly "management-url"?: string | undefined;
  readonly "state-dir"?: string | undefined;
}

async function optionsOf(args: Given, keys: readonly string[]) {
  const [{ openSessions, restartAgent }, { chooseStateDir }] = await Promise.all([
    import("../../agent/upgrade/restart-agent.ts"),
    import("../../agent/state/state-dir.ts"),
  ]);
  if (!isCompiled()) throw new QfError("ERR_CONFLICT", "run from source, it is upgraded with its source");
  if (process.execPath.startsWith("/usr/bin/")) {
    throw new QfError("ERR_CONFLICT", "it was installed by a package", {
      hint: "upgrade it with the package manager",
    });
  }
  const stateDir = chooseStateDir(args["state-dir"], process.env);
  const sessions = await openSessions(stateDir);
  return {
    url: await managementUrlOf(process.env, args["management-url"]),
    version: args.version,
    allowDowngrade: args["allow-downgrade"] === true,
    stateDir,
    executable: process.execPath,
    keys,
    restart: async () => {
      if (sessions === null) return;
      if (sessions > 0) say("note", `connections that are open here end with the old agent: ${sessions}`);
      await restartAgent(process.execPath, stateDir, process.env);
    },
    say: (text: string) => say("note", text),
  };
}

/** Carries out an order that the agent passed on, and stores the outcome. */
async function order(orderId: string, given: Given): Promise<void> {
  const { version } = given;
  if (!Id.safeParse(orderId).success || !ReleaseVersion.safeParse(version).success || version === undefined) {
    throw new QfError("ERR_USAGE", "--order needs the id of an order of management, and --version");
  }
  const { orderedUpgrade, recordOrder, textOf } = await import("../../agent/upgrade/ordered-upgrade.ts");
  const { chooseStateDir } = await import("../../agent/state/state-dir.ts");
  const { trustedReleaseKeys } = await import("../../agent/upgrade/trusted-keys.ts");
  const stateDir = chooseStateDir(given["state-dir"], process.env);
  const options = await trustedReleaseKeys()
    .then((keys) => optionsOf(given, keys))
    .catch(async (error: unknown) => {
      await recordOrder({ stateDir, orderId }, { state: "refused", detail: textOf(error) });
      throw error;
    });
  await orderedUpgrade({ ...options, version, orderId });
}

async function verify(path: string, keys: readonly string[]): Promise<void> {
  const { verifyManifest } = await import("../../agent/upgrade/fetch-release.ts");
  const [text, signature] = await Promise.all(
    [path, `${path}.sig`].map((file) => readSmallFile(file, MANIFEST_BYTES_MAX)),
  );
  const { version } = verifyManifest(text ?? "", signature, keys);
  await print(`${version} is signed by the publisher\n`);
}
