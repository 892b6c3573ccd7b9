import { Policy } from "../../wire/policy.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, deleteAt, openAdmin, printBody, printDone } from "../admin.ts";
import { authorizedIds } from "../authorized-groups.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { printTable } from "../output.ts";
import { parseList } from "../parse.ts";
import { checkIds } from "../posture-check-ids.ts";
import { say } from "../report.ts";
import { theOne } from "../the-one.ts";

export const policyList = command(
  `
List policies and what their rules grant.

usage: qf policy list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf policy list
  qf policy list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/policies", { answer: Policy.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "ENABLED", "ACTION", "PROTOCOL", "SOURCES", "DESTINATIONS", "OS USERS"],
        answer.value.flatMap((policy) =>
          policy.rules.map((rule) => [
            policy.id,
            policy.name,
            policy.enabled && rule.enabled ? "yes" : "no",
            rule.action,
            rule.protocol,
            (rule.sources ?? []).map((group) => group.name).join(", ") || (rule.sourceResource?.id ?? ""),
            (rule.destinations ?? []).map((group) => group.name).join(", ") ||
              (rule.destinationResource?.id ?? ""),
            localUsers(rule.authorized_groups),
          ]),
        ),
      );
    },
  },
);

export const policyCreate = command(
  `
Create a policy with one rule: who may log in where, and as which OS user. Without --authorized-groups the
rule gives full access to all OS users, and to root on machines with --enable-ssh-root.

usage: qf policy create NAME --sources GROUP,... --destinations GROUP,... [--authorized-groups G=USER,...]

options:
  --sources GROUP,...      groups of devices and people; may be repeated
  --destinations GROUP,... groups of machines; may be repeated
  --authorized-groups GROUP=USER,...
                           OS users for the members of a group, * for any; may be repeated
  --source-devices GROUP,...
                           groups that the device itself must also be in; may be repeated
  --posture-checks CHECK,...
                           posture checks that devices must pass, by name or id; may be repeated
  --action ACTION          accept, or drop, which overrides every accept (default: accept)
  --protocol PROTOCOL      qufabric-ssh, netbird-ssh, tcp, udp, icmp or all (default: qufabric-ssh)
  --ports PORT,...         ports of a tcp or udp rule; may be repeated (default: all, or 22 for SSH)
  --description TEXT       what it is for
  --disabled               create the policy without enabling it
${FORCE_OPTION}
${ADMIN_OPTIONS}

examples:
  qf policy create deploy --sources Developers --destinations Servers \\
      --authorized-groups Developers=deploy,web
  qf policy create no-contractors --sources Contractors --destinations Servers --action drop
`,
  {
    args: {
      name: { type: "positional", required: true },
      sources: { type: "string", required: true },
      destinations: { type: "string", required: true },
      "authorized-groups": { type: "string" },
      "source-devices": { type: "string" },
      "posture-checks": { type: "string" },
      action: { type: "enum", options: ["accept", "drop"], default: "accept" },
      protocol: {
        type: "enum",
        options: ["qufabric-ssh", "netbird-ssh", "tcp", "udp", "icmp", "all"],
        default: "qufabric-ssh",
      },
      ports: { type: "string" },
      description: { type: "string" },
      disabled: { type: "boolean" },
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const about = args.description === undefined ? {} : { description: args.description };
      const ports = parseList(args.ports);
      const devices = await admin.groupIds(parseList(args["source-devices"]));
      const rule = {
        name: args.name,
        enabled: true,
        action: args.action,
        bidirectional: false,
        protocol: args.protocol,
        sources: await admin.groupIds(parseList(args.sources)),
        destinations: await admin.groupIds(parseList(args.destinations)),
        ...(ports.length === 0 ? {} : { ports }),
        ...(devices.length === 0 ? {} : { source_devices: devices }),
        ...(args["authorized-groups"] === undefined
          ? {}
          : { authorized_groups: await authorizedIds(admin, args["authorized-groups"]) }),
      };
      const checks = await checkIds(admin, args["posture-checks"]);
      const body = {
        ...{ name: args.name, ...about, enabled: args.disabled !== true, rules: [rule] },
        ...(checks === undefined ? {} : { source_posture_checks: checks }),
      };
      const answer = await admin.request("POST", changePath("/api/policies", args), {
        body,
        answer: Policy,
      });
      for (const warning of answer.value.warnings ?? []) say("warning", warning);
      await printDone(args, answer, `created policy ${args.name} (${answer.value.id})`);
    },
  },
  {
    repeatable: ["sources", "destinations", "authorized-groups", "source-devices", "posture-checks", "ports"],
  },
);

export const policyDelete = command(
  `
Delete a policy. Open connections that no other policy allows are closed at once.

usage: qf policy delete POLICY [--management-url URL]

options:
${ADMIN_OPTIONS}

POLICY is a policy's name or id.

examples:
  qf policy delete deploy
  qf policy delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { policy: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { value } = await admin.request("GET", "/api/policies", { answer: Policy.array() });
      const policy = theOne("policy", args.policy, value, (one) => [one.id, one.name]);
      await deleteAt(admin, args, {
        path: `/api/policies/${policy.id}`,
        what: `policy ${args.policy} (${policy.id})`,
      });
    },
  },
);

function localUsers(authorized: Record<string, string[]> | undefined): string {
  const lists = Object.values(authorized ?? {});
  return lists.length === 0 ? "any (full access)" : [...new Set(lists.flat())].join(", ");
}
