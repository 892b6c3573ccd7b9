import { nowSeconds, systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { readSmallFile, writeFileAtomic } from "../../base/files.ts";
import { printable } from "../../base/printable.ts";
import { Group, SetupKey, User } from "../../wire/admin-api.ts";
import { nameKey } from "../../wire/name-key.ts";
import { renderPolicyText } from "../../wire/policy-render.ts";
import { ADMIN_ARGS, type Admin, openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { readNetBird } from "../netbird-client.ts";
import { type ImportPlan, planImport } from "../netbird-import.ts";
import { print } from "../output.ts";
import { parseUrl } from "../parse.ts";
import { say } from "../report.ts";

const KEYS_BYTES_MAX = 1024 * 1024;

export const importNetBird = command(
  `
Read a NetBird account, and make groups, service users, setup keys and a policy file of it.

usage: qf import netbird --url URL --token-file FILE [--out FILE] [--apply --keys-file FILE]

options:
  --url URL                NetBird's REST API, such as https://api.netbird.io
  --token-file FILE        a personal access token of NetBird; it is only read with
  --out FILE               write the policy file there (default: standard output)
  --apply                  make groups, service users and setup keys here; without it nothing is changed
  --keys-file FILE         with --apply: add the new setup keys to this file, readable by you alone
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)

Nothing is changed in NetBird. What is here already by its name is left as it is, so the command can be run
again. The policies go into the file only: look at it, then qf policy diff FILE and qf policy apply FILE,
which replaces the policies that are here. Whatever would mean more here than it did there is left out or
disabled, and said.

People appear when they sign in. NetBird shows no setup key twice, so new ones are made under the same names.

examples:
  qf import netbird --url https://api.netbird.io --token-file token > policy.yaml
  qf import netbird --url https://api.netbird.io --token-file token --out policy.yaml --apply --keys-file keys
`,
  {
    args: {
      url: { type: "string", required: true },
      "token-file": { type: "string", required: true },
      out: { type: "string" },
      apply: { type: "boolean" },
      "keys-file": { type: "string" },
      "management-url": ADMIN_ARGS["management-url"],
    },
    async run({ args }) {
      const { out, apply = false } = args;
      const keysFile = args["keys-file"];
      const account = await readNetBird(parseUrl("url", args.url), args["token-file"]);
      const plan = planImport(account, nowSeconds(systemClock));
      if (apply && keysFile === undefined && plan.setupKeys.length > 0) {
        throw new QfError("ERR_USAGE", "new setup keys need a place to go", {
          hint: "give --keys-file FILE",
        });
      }
      if (apply && plan.alike.length > 0) {
        const names = printable(plan.alike.join(", "));
        throw new QfError("ERR_CONFLICT", `groups have one name here and two in NetBird: ${names}`, {
          hint: "rename one of each pair in NetBird, then import again",
        });
      }
      for (const note of plan.notes) say("note", printable(note));
      if (apply) await carryOut(await openAdmin(args), plan, keysFile ?? "");
      else sayPlan(plan);
      const text = renderPolicyText(plan.file, null);
      if (out === undefined) return void (await print(text));
      await writeFileAtomic(out, text, 0o644);
      await print(`wrote ${out}\n`);
    },
  },
);

function sayPlan({ groups, serviceUsers, setupKeys }: ImportPlan): void {
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
  const listed = (all: readonly string[]) => printable(all.length === 0 ? "none" : all.join(", "));
  say("note", `with --apply these would be made, where they are not here: groups ${listed(groups)}`);
  say("note", `service users ${listed(names(serviceUsers))}`);
  say("note", `setup keys ${listed(names(setupKeys))}`);
}

/** Creates everything in the plan, each object after those that it names. */
async function carryOut(admin: Admin, plan: ImportPlan, keysFile: string): Promise<void> {
  const existing = (await admin.request("GET", "/api/groups", { answer: Group.array() })).value;
  const ids = new Map(existing.map(({ name, id }) => [nameKey(name), id]));
  for (const name of plan.groups) {
    if (ids.has(nameKey(name))) continue;
    const made = await admin.request("POST", "/api/groups", { body: { name, peers: [] }, answer: Group });
    ids.set(nameKey(name), made.value.id);
  }
  const idsOf = (names: readonly string[]) => names.flatMap((name) => ids.get(nameKey(name)) ?? []);
  const users = (await admin.request("GET", "/api/users?service_user=true", { answer: User.array() })).value;
  for (const { name, groups } of plan.serviceUsers) {
    if (users.some((user) => user.name === name)) continue;
    const body = { name, role: "user", is_service_user: true, auto_groups: idsOf(groups) };
    await admin.request("POST", "/api/users", { body, answer: User });
  }
  const keys = (await admin.request("GET", "/api/setup-keys", { answer: SetupKey.array() })).value;
  const lines = plan.setupKeys.length === 0 ? [] : await linesIn(keysFile);
  const countBefore = lines.length;
  for (const { name, type, expiresInSeconds, usageLimit, groups } of plan.setupKeys) {
    if (keys.some((key) => key.name === name)) continue;
    const body = { name, type, expires_in: expiresInSeconds, usage_limit: usageLimit };
    const request = { body: { ...body, auto_groups: idsOf(groups) }, answer: SetupKey };
    const made = await admin.request("POST", "/api/setup-keys", request);
    lines.push(`${made.value.key} ${name}`);
    // Written after each key, since nobody could use one that was created and lost.
    await writeFileAtomic(keysFile, `${lines.join("\n")}\n`, 0o600);
  }
  const count = lines.length - countBefore;
  if (count > 0) say("note", `wrote ${count} setup keys to ${keysFile}`);
}

/** The lines of an earlier run, whose keys are shown nowhere else. */
async function linesIn(path: string): Promise<string[]> {
  try {
    const text = await readSmallFile(path, KEYS_BYTES_MAX);
    return text.split("\n").filter((line) => line !== "");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
