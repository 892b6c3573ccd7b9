import { QfError } from "../../base/errors.ts";
import { Policy, type PolicyRule, PolicyRuleWrite } from "../../wire/policy.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, openAdmin, printChanged } from "../admin.ts";
import { type Assignment, assignOrRemove, fitTo, type JsonObject, parseAssignment } from "../assignments.ts";
import { authorizedIds } from "../authorized-groups.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { parseList, parseRepeated } from "../parse.ts";
import { checkIds } from "../posture-check-ids.ts";
import { say } from "../report.ts";
import { theOne } from "../the-one.ts";

export const policyUpdate = command(
  `
Change a policy. Everything not named stays as it is. Open connections that are no longer allowed are
closed at once.

usage: qf policy update POLICY [--rule RULE] [--set FIELD=VALUE]... [--enabled=BOOL] [--sources GROUP,...]

options:
  --rule RULE              rule to change, by name, id or number (default: the only one)
  --set FIELD=VALUE        set a field of the rule, such as ssh.sftp=read, ssh.record=required, enabled=false,
                           valid_until=2027-01-31T00:00:00Z or ssh.local_forward=db:5432; may be repeated
  --sources GROUP,...      replace the groups of devices and people; may be repeated
  --destinations GROUP,... replace the groups of machines; may be repeated
  --authorized-groups GROUP=USER,...
                           replace the OS users for the members of groups; may be repeated
  --source-devices GROUP,...
                           groups that the device itself must also be in; may be repeated
  --posture-checks CHECK,...
                           replace the posture checks that devices must pass; "" means none
  --enabled                enable the policy; --enabled=false disables it
  --name NAME              new name
  --description TEXT       what it is for
${FORCE_OPTION}
${ADMIN_OPTIONS}

POLICY is a policy's name or id.

examples:
  qf policy update deploy --set ssh.sftp=off --set ssh.max_session_seconds=3600
  qf policy update deploy --enabled=false
`,
  {
    args: {
      policy: { type: "positional", required: true },
      rule: { type: "string" },
      set: { type: "string" },
      sources: { type: "string" },
      destinations: { type: "string" },
      "authorized-groups": { type: "string" },
      "source-devices": { type: "string" },
      "posture-checks": { type: "string" },
      enabled: { type: "boolean" },
      name: { type: "string" },
      description: { type: "string" },
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const written = fitTo(PolicyRuleWrite, parseRepeated(args.set).map(parseAssignment));
      const admin = await openAdmin(args);
      const assignments = await withGroupIds(admin, written);
      const { value } = await admin.request("GET", "/api/policies", { answer: Policy.array() });
      const policy = theOne("policy", args.policy, value, (one) => [one.id, one.name]);
      const changed = { ...(await groupFields(admin, args)) };
      const isRuleNamed = Object.keys(changed).length + assignments.length > 0;
      const chosen = isRuleNamed || args.rule !== undefined ? ruleOf(policy, args.rule) : undefined;
      const body = {
        name: args.name ?? policy.name,
        description: args.description ?? policy.description,
        enabled: args.enabled ?? policy.enabled,
        source_posture_checks:
          (await checkIds(admin, args["posture-checks"])) ?? policy.source_posture_checks,
        rules: policy.rules.map((rule) => {
          const written = asWritten(rule);
          return rule === chosen ? assignOrRemove({ ...written, ...changed }, assignments) : written;
        }),
      };
      const path = changePath(`/api/policies/${policy.id}`, args);
      const answer = await admin.request("PUT", path, { body, answer: Policy });
      for (const warning of answer.value.warnings ?? []) say("warning", warning);
      await printChanged(args, { before: policy, body, answer }, `policy ${args.policy} (${policy.id})`);
    },
  },
  {
    repeatable: ["set", "sources", "destinations", "authorized-groups", "source-devices", "posture-checks"],
  },
);

/** Rule fields that name groups, whether set by `--set` or by their own flags. */
const GROUP_FIELDS: readonly string[] = [
  ...["sources", "destinations", "source_devices", "allow_intercepted", "approver_groups"],
];

/** Replaces names of groups in assignments by ids. */
async function withGroupIds(admin: Admin, assignments: readonly Assignment[]): Promise<Assignment[]> {
  return Promise.all(
    assignments.map(async ({ path, value }) => {
      const isGroups = path.length === 1 && GROUP_FIELDS.includes(path[0] ?? "");
      const names = isGroups && Array.isArray(value) ? value.filter((one) => typeof one === "string") : null;
      if (names === null || names.length !== (value as readonly unknown[]).length) return { path, value };
      return { path, value: await admin.groupIds(names) };
    }),
  );
}

interface GroupArgs {
  readonly sources?: string | undefined;
  readonly destinations?: string | undefined;
  readonly "authorized-groups"?: string | undefined;
  readonly "source-devices"?: string | undefined;
}

/** The rule's group fields that flags set. */
async function groupFields(admin: Admin, args: GroupArgs): Promise<JsonObject> {
  const ids = async (text: string | undefined) =>
    text === undefined ? undefined : await admin.groupIds(parseList(text));
  const authorized = args["authorized-groups"];
  const fields = {
    sources: await ids(args.sources),
    destinations: await ids(args.destinations),
    source_devices: await ids(args["source-devices"]),
    authorized_groups: authorized === undefined ? undefined : await authorizedIds(admin, authorized),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function ruleOf(policy: Policy, name: string | undefined): PolicyRule {
  const { rules } = policy;
  const [only, second] = rules;
  if (name === undefined && only !== undefined && second === undefined) return only;
  const found =
    name === undefined
      ? undefined
      : (rules.find((rule) => rule.id === name || rule.name === name) ?? rules[Number(name) - 1]);
  if (found !== undefined) return found;
  throw new QfError("ERR_USAGE", `name one of the ${rules.length} rules of ${policy.name} with --rule`, {
    hint: rules.map((rule, index) => `${index + 1} ${JSON.stringify(rule.name)}`).join(", "),
  });
}

/** A rule in the form for writing: groups by id, without read-only fields. */
function asWritten({ sources, destinations, ...rule }: PolicyRule): JsonObject {
  return {
    ...rule,
    ...(sources ? { sources: sources.map(({ id }) => id) } : {}),
    ...(destinations ? { destinations: destinations.map(({ id }) => id) } : {}),
  };
}
