import { Policy } from "../../wire/policy.ts";
import { PolicyUsage } from "../../wire/policy-code-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { printJson, printTable } from "../output.ts";
import { USAGE_HEADINGS, usageCells } from "../policy-output.ts";

export const policyUsage = command(
  `
List the rules with how many people and machines each concerns now, and when a machine last decided by it.

usage: qf policy usage [--unused] [--json] [--management-url URL]

options:
  --unused                 only rules by which nothing was decided for 90 days
${ADMIN_OPTIONS}

People and machines count by membership; a posture check or a schedule may still deny some of them. A rule is
not called unused before its policy has been as it is for 90 days. Machines do not report the use of rules
about networks.

examples:
  qf policy usage
  qf policy usage --unused --json
`,
  {
    args: { unused: { type: "boolean" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/policy/usage", { answer: PolicyUsage });
      const isUnusedOnly = args.unused === true;
      if (args.json === true && !isUnusedOnly) return printBody(answer);
      const rules = answer.value.rules.filter(({ unused }) => !isUnusedOnly || unused === true);
      if (args.json === true) return printJson({ rules });
      const policies = await admin.request("GET", "/api/policies", { answer: Policy.array() });
      await printTable(
        USAGE_HEADINGS,
        rules.map((rule) => usageCells(rule, policies.value)),
      );
    },
  },
);
