import { nowSeconds, systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson, writeFileAtomic } from "../../base/files.ts";
import { namesOf } from "../../policy/code/names.ts";
import { renderTest } from "../../policy/code/render.ts";
import { resolveFile } from "../../policy/code/resolve.ts";
import { runTests } from "../../policy/code/run-tests.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import { PolicyAccount } from "../../wire/policy-account.ts";
import { AnyObject, PolicyFileAnswer, PolicyTestReport } from "../../wire/policy-code-api.ts";
import { policyFileSchema } from "../../wire/policy-file.ts";
import { parsePolicyText } from "../../wire/policy-text.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { applyFile, askDiff } from "../apply-policy.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { readPolicyText, readText } from "../policy-input.ts";
import { diffText, testsText } from "../policy-output.ts";
import { historyPath, parseNumber } from "./policy-history.ts";

const EXPORT_BYTES_MAX = 256 * 1024 * 1024;
/** The printed parts of a policy file or an earlier state. */
const WrittenFile = PolicyFileAnswer.pick({ text: true, file: true });
const FILE_HELP = "FILE is YAML or JSON; - is standard input. See qf policy schema.";

export const policyGet = command(
  `
Print the account's policies, group settings and tests as a policy file, to keep in git and edit.

usage: qf policy get [--out FILE] [--at NUMBER | --export] [--json]

options:
  --out FILE               write it to FILE
  --at NUMBER              as they were in this state of qf policy history
  --export                 print the account for qf policy test --account instead: people, devices,
                           machines, groups and policies
${ADMIN_OPTIONS}

Applying the file unchanged changes nothing. Comments of the file that was last applied are kept.

examples:
  qf policy get --out policy.yaml
  qf policy get --export --out account.json
`,
  {
    args: {
      out: { type: "string" },
      at: { type: "string" },
      export: { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const { at } = args;
      if (at !== undefined && args.export === true) {
        throw new QfError("ERR_USAGE", "give --at or --export, not both");
      }
      const path = at === undefined ? "/api/policy/file" : historyPath(parseNumber("at", at));
      const admin = await openAdmin(args);
      if (args.export === true) {
        const answer = await admin.request("GET", "/api/policy/export", { answer: AnyObject });
        return args.out === undefined ? printBody(answer) : save(args.out, `${answer.text}\n`);
      }
      const answer = await admin.request("GET", path, { answer: WrittenFile });
      const text = args.json === true ? `${JSON.stringify(answer.value.file, null, 2)}\n` : answer.value.text;
      await (args.out === undefined ? print(text) : save(args.out, text));
    },
  },
);

async function save(path: string, text: string): Promise<void> {
  await writeFileAtomic(path, text, 0o644);
  await print(`wrote ${path}\n`);
}

export const policyTest = command(
  `
Run the tests of a policy file, on the account as it would be with the file. Nothing is stored.

usage: qf policy test FILE [--account EXPORT] [--json]

options:
  --account EXPORT         run offline, on an account written by qf policy get --export
${ADMIN_OPTIONS}

${FILE_HELP}
Exit status: 0 if all tests pass, 1 if one fails, 2 for a usage error.

examples:
  qf policy test policy.yaml
  qf policy test policy.yaml --account account.json
`,
  {
    args: {
      file: { type: "positional", required: true },
      account: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const text = readPolicyText(args.file);
      const report = args.account === undefined ? await online(args, text) : offline(args.account, text);
      if (args.json === true) await printJson(report);
      else await print(testsText(report).trimStart());
      return report.failed === 0 ? 0 : 1;
    },
  },
);

async function online(
  args: { readonly "management-url"?: string | undefined },
  text: string,
): Promise<PolicyTestReport> {
  const admin = await openAdmin(args);
  return (await admin.request("POST", "/api/policy/test", { body: { text }, answer: PolicyTestReport }))
    .value;
}

/** Runs the tests on an export, with the same code as management. */
function offline(path: string, text: string): PolicyTestReport {
  const exported = readText(path, EXPORT_BYTES_MAX, `${path} is larger than 256 MB`);
  const account = PolicyAccount.safeParse(parseJson(exported));
  if (!account.success) {
    throw new QfError("ERR_UNPROCESSABLE", `${path} is no account export of this version`, {
      hint: "write one with qf policy get --export",
    });
  }
  const resolution = resolveFile(parsePolicyText(text), account.data);
  if (resolution.kind === "refused") {
    const [fault] = resolution.faults;
    throw new QfError("ERR_UNPROCESSABLE", `the policy file: ${fault?.message ?? ""}`, {
      ...(fault?.hint === undefined ? {} : { hint: fault.hint }),
    });
  }
  const names = namesOf(resolution.account);
  const results = runTests(resolution.account, nowSeconds(systemClock)).map(
    ({ test, passed, outcome, reason }, i) => ({
      ...{ number: i + 1, test: renderTest(test, names), passed, outcome, reason },
      sentence: reason === null ? null : sentenceOf(reason).sentence,
    }),
  );
  const failed = results.filter(({ passed }) => !passed).length;
  return { passed: results.length - failed, failed, results };
}

export const policyDiff = command(
  `
Show what a policy file would change: rules, access gained and lost, live connections that would end, and
past decisions that would differ. Nothing is stored.

usage: qf policy diff FILE [--days N] [--json]

options:
  --days N                 days of past decisions to look at, 0 to 90 (default: 7)
${ADMIN_OPTIONS}

${FILE_HELP}
Exit status: 0 if nothing would change, 1 if something would, 2 for a usage error.

examples:
  qf policy diff policy.yaml
  qf policy diff policy.yaml --days 30 --json
`,
  {
    args: {
      file: { type: "positional", required: true },
      days: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const days =
        args.days === undefined
          ? undefined
          : parseWhole("days", args.days, { min: 0, max: 90, unit: "days" });
      const text = readPolicyText(args.file);
      const answer = await askDiff(await openAdmin(args), { text }, days);
      await (args.json === true ? printBody(answer) : print(diffText(answer.value)));
      return answer.value.same ? 0 : 1;
    },
  },
);

export const policyApply = command(
  `
Apply a policy file: show what it changes, ask, and change all of it or nothing. It is refused when a test
fails, when the account has changed since, and when nobody could log in anywhere after it.

usage: qf policy apply FILE [--yes] [--if-version V] [--reason TEXT] [--override] [--force]
                       [--json]

options:
  --yes                    do not ask
  --if-version V           only if the account is at this version, which qf policy diff --json shows
  --reason TEXT            why, for qf policy history and the audit log
  --override               although the policies are kept elsewhere; needs --reason, and is audited
  --force                  apply it although a test fails; this is audited
${ADMIN_OPTIONS}

${FILE_HELP}
Policies that the file does not name are deleted. Open connections that are no longer allowed end at once.
Exit status: 0 if it was applied or changes nothing, 1 if not, 2 for a usage error.

examples:
  qf policy apply policy.yaml
  qf policy apply policy.yaml --yes --if-version 42
`,
  {
    args: {
      file: { type: "positional", required: true },
      yes: { type: "boolean" },
      "if-version": { type: "string" },
      reason: { type: "string" },
      override: { type: "boolean" },
      force: { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const wanted = args["if-version"];
      const version =
        wanted === undefined
          ? undefined
          : parseWhole("if-version", wanted, { min: 0, max: 9_999_999_999, unit: "changes" });
      const text = readPolicyText(args.file);
      return applyFile(await openAdmin(args), { text }, { ...args, version });
    },
  },
);

export const policySchema = command(
  `
Print the JSON Schema of policy files, for editors and checks.

usage: qf policy schema

examples:
  qf policy schema > policy.schema.json
  qf policy schema | jq '.properties | keys'
`,
  {
    args: {},
    run: () => printJson(policyFileSchema()),
  },
);
