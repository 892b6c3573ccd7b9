import { NEVER, SetupKey } from "../../wire/admin-api.ts";
import {
  ADMIN_ARGS,
  ADMIN_OPTIONS,
  type Admin,
  deleteAt,
  openAdmin,
  printBody,
  printChanged,
  printDone,
} from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseList, parseWhole } from "../parse.ts";
import { theOne } from "../the-one.ts";
import { groupNames } from "../words.ts";

const DAY_SECONDS = 86_400;

export const setupKeyList = command(
  `
List setup keys, with which machines enrol. The key itself is shown only when it is created.

usage: qf setup-key list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf setup-key list
  qf setup-key list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/setup-keys", { answer: SetupKey.array() });
      if (args.json === true) return printBody(answer);
      const names = await groupNames(admin);
      await printTable(
        ["ID", "NAME", "TYPE", "STATE", "USED", "EXPIRES", "GROUPS"],
        answer.value.map((key) => [
          key.id,
          key.name,
          key.type,
          key.state,
          key.usage_limit === 0 ? String(key.used_times) : `${key.used_times}/${key.usage_limit}`,
          key.expires === NEVER ? "never" : key.expires.slice(0, 10),
          key.auto_groups.map(names).join(", "),
        ]),
      );
    },
  },
);

export const setupKeyCreate = command(
  `
Create a setup key and print it; it is not shown again. A machine enrols with qf agent up --setup-key-file
FILE.

usage: qf setup-key create NAME [--groups GROUP,...] [--reusable] [--expires-in DAYS] [--usage-limit N]

options:
  --groups GROUP,...       groups for machines that enrol with it; may be repeated (default: none)
  --reusable               let more than one machine enrol with it (default: only one)
  --expires-in DAYS        days until it expires; 0 means never (default: 7)
  --usage-limit N          most machines, with --reusable; 0 means no limit (default: 0)
${ADMIN_OPTIONS}

examples:
  qf setup-key create web1 --groups Servers
  qf setup-key create fleet --groups Servers --reusable --expires-in 30
`,
  {
    args: {
      name: { type: "positional", required: true },
      groups: { type: "string" },
      reusable: { type: "boolean" },
      "expires-in": { type: "string", default: "7" },
      "usage-limit": { type: "string", default: "0" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const days = parseWhole("expires-in", args["expires-in"], { min: 0, max: 36_500, unit: "days" });
      const limit = parseWhole("usage-limit", args["usage-limit"], {
        min: 0,
        max: 1_000_000,
        unit: "machines",
      });
      const admin = await openAdmin(args);
      const isReusable = args.reusable === true;
      const body = {
        name: args.name,
        type: isReusable ? "reusable" : "one-off",
        expires_in: days * DAY_SECONDS,
        auto_groups: await admin.groupIds(parseList(args.groups)),
        usage_limit: isReusable ? limit : 1,
      };
      const answer = await admin.request("POST", "/api/setup-keys", { body, answer: SetupKey });
      await printDone(
        args,
        answer,
        `created setup key ${args.name} (${answer.value.id})\nkey: ${answer.value.key}`,
      );
      await print("It is shown this once.\n");
    },
  },
  { repeatable: ["groups"] },
);

export const setupKeyUpdate = command(
  `
Change the groups of machines that enrol with a setup key. Machines already enrolled keep their groups.

usage: qf setup-key update KEY --groups GROUP,...

options:
  --groups GROUP,...       replace the groups; may be repeated; "" means none
${ADMIN_OPTIONS}

KEY is a setup key's name or id.

examples:
  qf setup-key update fleet --groups Servers,Web
  qf setup-key update fleet --groups ""
`,
  {
    args: {
      key: { type: "positional", required: true },
      groups: { type: "string", required: true },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const key = await keyOf(admin, args.key);
      const body = { revoked: key.revoked, auto_groups: await admin.groupIds(parseList(args.groups)) };
      const answer = await admin.request("PUT", `/api/setup-keys/${key.id}`, { body, answer: SetupKey });
      await printChanged(args, { before: key, body, answer }, `setup key ${args.key} (${key.id})`);
    },
  },
  { repeatable: ["groups"] },
);

export const setupKeyRevoke = command(
  `
Revoke a setup key, so that no more machines can enrol with it. Machines already enrolled stay.

usage: qf setup-key revoke KEY [--management-url URL]

options:
${ADMIN_OPTIONS}

KEY is a setup key's name or id.

examples:
  qf setup-key revoke fleet
  qf setup-key revoke d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { key: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const key = await keyOf(admin, args.key);
      const body = { revoked: true, auto_groups: key.auto_groups };
      const answer = await admin.request("PUT", `/api/setup-keys/${key.id}`, { body, answer: SetupKey });
      await printDone(args, answer, `revoked setup key ${args.key} (${key.id})`);
    },
  },
);

export const setupKeyDelete = command(
  `
Delete a setup key. Machines already enrolled stay.

usage: qf setup-key delete KEY [--management-url URL]

options:
${ADMIN_OPTIONS}

KEY is a setup key's name or id.

examples:
  qf setup-key delete fleet
  qf setup-key delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { key: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const key = await keyOf(admin, args.key);
      await deleteAt(admin, args, {
        path: `/api/setup-keys/${key.id}`,
        what: `setup key ${args.key} (${key.id})`,
      });
    },
  },
);

async function keyOf(admin: Admin, name: string): Promise<SetupKey> {
  const { value } = await admin.request("GET", "/api/setup-keys", { answer: SetupKey.array() });
  return theOne("setup-key", name, value, (key) => [key.id, key.name]);
}
