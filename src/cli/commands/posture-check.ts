import { QfError } from "../../base/errors.ts";
import { parseJson, readSmallFile } from "../../base/files.ts";
import { PostureCheck } from "../../wire/posture.ts";
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
import { assign, flatten, type JsonObject, parseAssignment } from "../assignments.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { printTable } from "../output.ts";
import { parseRepeated } from "../parse.ts";
import { theOne } from "../the-one.ts";

const PATH = "/api/posture-checks";
const SET_OPTION = `\
  --set KEY=VALUE          a condition, such as nb_version_check.min_version=0.1.0; may be repeated
  --file FILE              file with the whole check as JSON, as printed by --json`;
const SET_ARGS = {
  set: { type: "string" },
  file: { type: "string" },
} as const;
const FILE_BYTES_MAX = 256 * 1024;

export const postureCheckList = command(
  `
List posture checks: requirements that a device must meet before a policy that names the check lets it in.

usage: qf posture-check list [--json]

options:
${ADMIN_OPTIONS}

examples:
  qf posture-check list
  qf posture-check list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", PATH, { answer: PostureCheck.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "CONDITIONS"],
        answer.value.map(({ id, name, checks }) => [
          id,
          name,
          flatten(checks)
            .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
            .join(" "),
        ]),
      );
    },
  },
);

export const postureCheckCreate = command(
  `
Create a posture check. To use it, name it in a policy with --posture-checks.

usage: qf posture-check create NAME --set KEY=VALUE [--set KEY=VALUE]... | --file FILE

options:
${SET_OPTION}
  --description TEXT       what it is for
${ADMIN_OPTIONS}

examples:
  qf posture-check create recent --set nb_version_check.min_version=0.1.0
  qf posture-check create office --file office.json
`,
  {
    args: {
      name: { type: "positional", required: true },
      description: { type: "string" },
      ...SET_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const checks = await checksOf(args, {});
      const admin = await openAdmin(args);
      const body = { name: args.name, description: args.description ?? "", checks };
      const answer = await admin.request("POST", PATH, { body, answer: PostureCheck });
      await printDone(args, answer, `created posture check ${args.name} (${answer.value.id})`);
    },
  },
  { repeatable: ["set"] },
);

export const postureCheckUpdate = command(
  `
Change a posture check. Conditions not named stay as they are. Open connections are checked again.

usage: qf posture-check update CHECK [--set KEY=VALUE]... [--name NAME] [--file FILE]

options:
${SET_OPTION}
  --name NAME              new name
  --description TEXT       what it is for
${FORCE_OPTION}
${ADMIN_OPTIONS}

CHECK is a posture check's name or id.

examples:
  qf posture-check update recent --set nb_version_check.min_version=0.2.0
  qf posture-check update office --name headquarters
`,
  {
    args: {
      check: { type: "positional", required: true },
      name: { type: "string" },
      description: { type: "string" },
      ...SET_ARGS,
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const check = await checkOf(admin, args.check);
      const body = {
        name: args.name ?? check.name,
        description: args.description ?? check.description ?? "",
        checks: await checksOf(args, check.checks),
      };
      const answer = await admin.request("PUT", changePath(`${PATH}/${check.id}`, args), {
        body,
        answer: PostureCheck,
      });
      await printChanged(args, { before: check, body, answer }, `posture check ${args.check} (${check.id})`);
    },
  },
  { repeatable: ["set"] },
);

export const postureCheckDelete = command(
  `
Delete a posture check. Fails while a policy uses it.

usage: qf posture-check delete CHECK

options:
${ADMIN_OPTIONS}

CHECK is a posture check's name or id.

examples:
  qf posture-check delete recent
  qf posture-check delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { check: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const check = await checkOf(admin, args.check);
      await deleteAt(admin, args, {
        path: `${PATH}/${check.id}`,
        what: `posture check ${args.check} (${check.id})`,
      });
    },
  },
);

async function checkOf(admin: Admin, name: string): Promise<PostureCheck> {
  const { value } = await admin.request("GET", PATH, { answer: PostureCheck.array() });
  return theOne("posture-check", name, value, (check) => [check.id, check.name]);
}

/** The conditions of `--file` or `before`, overridden by `--set`. Throws ERR_USAGE for a bad file. */
async function checksOf(
  args: { readonly set?: string | undefined; readonly file?: string | undefined },
  before: JsonObject,
): Promise<JsonObject> {
  const base = args.file === undefined ? before : await readChecks(args.file);
  return assign(base, parseRepeated(args.set).map(parseAssignment));
}

async function readChecks(file: string): Promise<JsonObject> {
  const parsed = parseJson(await readSmallFile(file, FILE_BYTES_MAX));
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    const { checks } = parsed as { checks?: unknown };
    return (typeof checks === "object" && checks !== null ? checks : parsed) as JsonObject;
  }
  throw new QfError("ERR_USAGE", `${file} holds no JSON object`, {
    hint: "qf posture-check list --json shows the shape",
  });
}
