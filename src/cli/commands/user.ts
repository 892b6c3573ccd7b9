import { User } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, deleteAt, openAdmin, printBody, printDone } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseList } from "../parse.ts";
import { groupNames } from "../words.ts";

const ROLES = ["owner", "admin", "network_admin", "auditor", "billing_admin", "user"];

export const userList = command(
  `
List the people and service users of the account.

usage: qf user list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf user list
  qf user list --json
`,
  {
    meta: { name: "list", description: "List users" },
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/users", { answer: User.array() });
      if (args.json === true) return printBody(answer);
      const names = await groupNames(admin);
      await printTable(
        ["ID", "NAME", "EMAIL", "ROLE", "STATUS", "GROUPS"],
        answer.value.map((user) => [
          user.id,
          user.is_service_user === true ? `${user.name} (service)` : user.name,
          user.email,
          user.role,
          user.pending_approval ? "pending" : user.is_blocked ? "blocked" : user.status,
          user.auto_groups.map(names).join(", "),
        ]),
      );
    },
  },
);

export const userCreate = command(
  `
Create a person, or a service user for automation. With the embedded identity provider a person's
password is made and printed, this once.

usage: qf user create EMAIL|NAME [--groups GROUP,...] [--role ROLE] [--name NAME] [--service]

options:
  --groups GROUP,...       groups the user is in, by name or id; may be repeated (default: none)
  --role ROLE              owner, admin, auditor or user (default: user)
  --name NAME              the person's name (default: what is before @)
  --service                a service user: it has a name, no e-mail address and no password
${ADMIN_OPTIONS}

examples:
  qf user create ada@example.com --groups Developers
  qf user create backup --service --groups Robots
`,
  {
    meta: { name: "create", description: "Create a user" },
    args: {
      who: {
        type: "positional",
        required: true,
        valueHint: "email|name",
        description: "E-mail address, or name",
      },
      groups: { type: "string", valueHint: "groups", description: "Groups" },
      role: { type: "enum", options: ROLES, default: "user", description: "Role" },
      name: { type: "string", valueHint: "name", description: "Name" },
      service: { type: "boolean", description: "A service user" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const isService = args.service === true;
      const person = { email: args.who, name: args.name ?? args.who.split("@")[0] ?? args.who };
      const body = {
        ...(isService ? { name: args.name ?? args.who } : person),
        role: args.role,
        auto_groups: await admin.groupIds(parseList(args.groups)),
        is_service_user: isService,
      };
      const answer = await admin.request("POST", "/api/users", { body, answer: User });
      if (args.json === true) return printBody(answer);
      const { id, password } = answer.value;
      await print(`created ${isService ? "service user" : "user"} ${args.who} (${id})\n`);
      if (password !== undefined) await print(`password: ${password}\nIt is shown this once.\n`);
    },
  },
  { repeatable: ["groups"] },
);

export const userUpdate = command(
  `
Change a user: groups, role, blocked or not. What is not named stays. Live connections are judged anew.

usage: qf user update USER [--groups GROUP,...] [--role ROLE] [--blocked=BOOL] [--approve]

options:
  --groups GROUP,...       all groups of the user from now on; may be repeated
  --role ROLE              owner, admin, auditor or user
  --blocked                block the user; --blocked=false lets them in again
  --approve                let in a person who waits for approval
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id.

examples:
  qf user update ada@example.com --groups Developers,Oncall
  qf user update ada@example.com --blocked
`,
  {
    meta: { name: "update", description: "Change a user" },
    args: {
      user: { type: "positional", required: true, description: "User" },
      groups: { type: "string", valueHint: "groups", description: "Groups" },
      role: { type: "enum", options: ROLES, description: "Role" },
      blocked: { type: "boolean", description: "Blocked or not" },
      approve: { type: "boolean", description: "Let in" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const user = await admin.userOf(args.user);
      const groups = args.groups === undefined ? undefined : await admin.groupIds(parseList(args.groups));
      const body = {
        role: args.role ?? user.role,
        auto_groups: groups ?? user.auto_groups,
        is_blocked: args.blocked ?? user.is_blocked,
        ...(args.approve === true ? { pending_approval: false } : {}),
      };
      const answer = await admin.request("PUT", `/api/users/${user.id}`, { body, answer: User });
      await printDone(args, answer, `changed user ${args.user} (${user.id})`);
    },
  },
  { repeatable: ["groups"] },
);

export const userDelete = command(
  `
Delete a user, their tokens and their devices. Their history in the audit log stays.

usage: qf user delete USER [--management-url URL]

options:
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id.

examples:
  qf user delete ada@example.com
  qf user delete backup
`,
  {
    meta: { name: "delete", description: "Delete a user" },
    args: { user: { type: "positional", required: true, description: "User" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const user = await admin.userOf(args.user);
      await deleteAt(admin, args, { path: `/api/users/${user.id}`, what: `user ${args.user} (${user.id})` });
    },
  },
);
