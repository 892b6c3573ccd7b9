import { LostTail } from "../../wire/log-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printDone } from "../admin.ts";
import { command } from "../command.ts";

export const auditAcknowledge = command(
  `
Acknowledge that the audit log has lost its tail, as it does when a backup is put back: entries that machines
have seen and that are not there any more. Until an owner does so, it is a finding of qf audit verify. What
was lost stays named in the log.

usage: qf audit acknowledge [--json]

options:
${ADMIN_OPTIONS}

examples:
  qf audit acknowledge
  qf audit acknowledge --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = "/api/events/audit/lost/acknowledge";
      const answer = await admin.request("POST", path, { answer: LostTail.array() });
      const tails = answer.value.map(({ from, to }) => `${from} to ${to}`).join(", ");
      await printDone(args, answer, `acknowledged: entries ${tails} of the audit log are lost`);
    },
  },
);
