import { existsSync } from "node:fs";
import { join } from "node:path";
import { nowSeconds, systemClock } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { createClientApi } from "../../client/client-api.ts";
import { clientFolderPath } from "../../client/client-folder.ts";
import { type ClientSession, openClientSession } from "../../client/client-session.ts";
import { managementUrlOf } from "../../client/management-url.ts";
import { pinnedLog } from "../../client/pinned-logs.ts";
import { runAttacks } from "../../client/selftest/attack.ts";
import { httpAttacks } from "../../client/selftest/http-attacks.ts";
import { type LogAccess, logAttacks } from "../../client/selftest/log-attacks.ts";
import { machineAttacks } from "../../client/selftest/machine-attacks.ts";
import { proofAttacks } from "../../client/selftest/proof-attacks.ts";
import { type OwnDevice, relayAttacks } from "../../client/selftest/relay-attacks.ts";
import { type ReachableMachine, streamAttacks } from "../../client/selftest/stream-attacks.ts";
import { findTarget, registeredDevice } from "../../client/target.ts";
import { Peer } from "../../wire/admin-peers.ts";
import { ConsistencyAnswer, InclusionAnswer, LogCheckpoint } from "../../wire/log-api.ts";
import type { AttackResult } from "../../wire/selftest.ts";
import { openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { print, printJson, printTable } from "../output.ts";
import { parseList, parseUrl } from "../parse.ts";

const LOG = "/api/events/audit";

export const selftestAttack = command(
  `
Attack your own set-up, by what any client could send, and report what was tried and what held. Nothing is
changed, and no limit is reached; the log of management and of the machines records the refusals. Attacks on
the audit log, and a look at the names of machines, want a login or token that may read them (--with-token),
and are skipped without. Attacks in the name of this device want one that qf login has registered, and those
on streams a machine that it may reach (--stream-to). Hostile names are tried on this machine's own ssh and
its configuration.

usage: qf selftest attack [--management-url URL] [--machine HOST:PORT]... [--stream-to MACHINE] [--with-token]
                          [--json]

options:
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --machine HOST:PORT      a machine's port to attack as well, such as web1.example.com:22022; may be repeated
  --stream-to MACHINE      a machine that this device may reach: attack streams to it, directly and relayed
  --with-token             look at log and names too, by your login or the token in QF_TOKEN_FILE
  --json                   print the report as JSON

Exit status: 0 if everything that was tried held; 1 if anything did not.

examples:
  qf selftest attack
  qf selftest attack --stream-to web1
  qf selftest attack --machine web1.example.com:22022 --with-token --json
`,
  {
    args: {
      "management-url": { type: "string" },
      machine: { type: "string" },
      "stream-to": { type: "string" },
      "with-token": { type: "boolean" },
      json: { type: "boolean" },
    },
    async run({ args }) {
      const machines = parseList(args.machine).map(parsePlace);
      const given = args["management-url"];
      const url = await managementUrlOf(
        process.env,
        given === undefined ? undefined : parseUrl("management-url", given),
      );
      const config = await createClientApi({ url }).config();
      const now = (): number => nowSeconds(systemClock);
      const isTrusted = args["with-token"] === true;
      const own = await ownDevice(url);
      const machine = own === null ? null : await reachable(own, args["stream-to"]);
      const streams = { scope: config, nowSeconds: now, device: own?.device ?? null, machine };
      const { configAttacks } = await import("../../proxy/ssh-config/config-attacks.ts");
      const report = await runAttacks([
        ...httpAttacks(url),
        ...proofAttacks(url, config, now),
        ...relayAttacks(url, streams),
        ...streamAttacks(url, streams),
        ...logAttacks(url, isTrusted ? await logAccess(url) : null),
        ...configAttacks({
          environment: process.env,
          ssh: Bun.which("ssh") ?? undefined,
          names: isTrusted ? () => machineNames(url) : null,
        }),
        ...machines.flatMap((place) => machineAttacks(place, config, now)),
      ]);
      if (args.json === true) await printJson(report);
      else await printResults(report.results);
      return report.held ? 0 : 1;
    },
  },
  { repeatable: ["machine"] },
);

async function printResults(results: readonly AttackResult[]): Promise<void> {
  await printTable(
    ["OUTCOME", "ATTACK", "TARGET", "TRIED", "SEEN"],
    results.map(({ outcome, id, target, tried, detail }) => [
      outcome === "broke" ? "BROKE" : outcome,
      id,
      target,
      tried,
      detail ?? "",
    ]),
  );
  const count = (wanted: AttackResult["outcome"]): number =>
    results.filter(({ outcome }) => outcome === wanted).length;
  await print(`${count("held")} held, ${count("broke")} broke, ${count("skipped")} skipped\n`);
}

interface Own {
  readonly session: ClientSession;
  readonly device: OwnDevice;
}

/** This device as it is registered there. Null: it is not. Makes no folder and no key. */
async function ownDevice(url: string): Promise<Own | null> {
  if (!existsSync(join(clientFolderPath(process.env), "config.json"))) return null;
  const session = await openClientSession({ managementUrl: url, interactive: false });
  try {
    const { devicePeerId } = await registeredDevice(session);
    return { session, device: { peerId: devicePeerId, deviceKey: session.deviceKey } };
  } catch (error) {
    if (isQfError(error, "ERR_LOGIN_REQUIRED")) return null;
    throw error;
  }
}

async function reachable({ session }: Own, name: string | undefined): Promise<ReachableMachine | null> {
  return name === undefined ? null : (await findTarget(session, name)).target;
}

async function machineNames(url: string): Promise<string[]> {
  const admin = await openAdmin({ "management-url": url });
  const { value } = await admin.request("GET", "/api/peers", { answer: Peer.array() });
  return value.map(({ dns_label }) => dns_label);
}

async function logAccess(url: string): Promise<LogAccess> {
  const admin = await openAdmin({ "management-url": url });
  return {
    checkpoint: async () =>
      (await admin.request("GET", `${LOG}/checkpoint`, { answer: LogCheckpoint })).value,
    consistency: async (from, to) =>
      (
        await admin.request("GET", `${LOG}/proof/consistency?from=${from}&to=${to}`, {
          answer: ConsistencyAnswer,
        })
      ).value,
    inclusion: async (seq, size) =>
      (
        await admin.request("GET", `${LOG}/proof/inclusion?seq=${seq}&size=${size}`, {
          answer: InclusionAnswer,
        })
      ).value,
    pinned: (origin) => pinnedLog(process.env, origin),
  };
}

function parsePlace(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^[\]\s]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  const number = Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw new QfError("ERR_USAGE", `--machine must be HOST:PORT, not ${JSON.stringify(text)}`);
  }
  return { host, port: number };
}
