import { MyAccess, type MyMachine } from "../../wire/my-access.ts";
import { ADMIN_ARGS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";

export const ls = command(
  `
List the machines you may log in to from this device, and the users you may log in as.

usage: qf ls [--all] [--json]

options:
  --all                    also list machines that you cannot log in to now, with the reason
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's response unchanged

Uses the login made by qf login, or signs you in.

examples:
  qf ls
  qf ls --all
`,
  {
    args: {
      all: { type: "boolean" },
      "management-url": ADMIN_ARGS["management-url"],
      json: ADMIN_ARGS.json,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/my/access", { answer: MyAccess });
      if (args.json === true) return printBody(answer);
      const { machines, total } = answer.value;
      const shown = args.all === true ? machines : machines.filter((machine) => machine.reason === null);
      if (shown.length > 0) await printTable(["NAME", "ADDRESS", "STATE", "LOG IN AS"], shown.map(row));
      await print(footer(machines, shown.length, total));
    },
  },
);

function row({ name, ip, connected, local_users: users, sentence, hint }: MyMachine): string[] {
  const as = users.length > 0 ? users.map((user) => (user === "*" ? "any user" : user)).join(", ") : "";
  return [name, ip, connected ? "online" : "offline", as || `no: ${sentence ?? ""} (${hint ?? ""})`];
}

function footer(machines: readonly MyMachine[], shown: number, total: number): string {
  const hidden = machines.filter((machine) => machine.reason !== null).length;
  const more = total > machines.length ? `the first ${machines.length} of ${total} machines\n` : "";
  if (shown === 0 && hidden === 0)
    return `no policy opens a machine for you on this device; ask an administrator\n`;
  if (shown === 0) return `${more}you cannot log in to any machine now; qf ls --all says why\n`;
  return shown < machines.length ? `${more}${hidden} more out of reach; qf ls --all says why\n` : more;
}
