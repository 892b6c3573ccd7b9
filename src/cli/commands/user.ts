import { User } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, deleteAt, openAdmin, printBody, printChanged } from "../admin.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { print, printTable } from "../output.ts";
import { parseList } from "../parse.ts";
import { passwordFromStdin } from "../password-input.ts";
import { groupNames } from "../words.ts";
import { printLink } from "./user-password.ts";

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
Create a person, or a service user for automation. With the embedded identity provider this prints an
invitation link, once: whoever opens it chooses the password, and nobody else ever sees it.

usage: qf user create EMAIL|NAME [--groups GROUP,...] [--role ROLE] [--name NAME] [--service]

options:
  --groups GROUP,...       groups the user is in, by name or id; may be repeated (default: none)
  --role ROLE              owner, admin, auditor or user (default: user)
  --name NAME              the person's name (default: the e-mail address up to the @)
  --service                create a service user, which has a name but no e-mail address or password
  --password-stdin         instead of an invitation, read a first password from standard input; the person
                           has to replace it before they can sign in
${ADMIN_OPTIONS}

examples:
  qf user create ada@example.com --groups Developers
  qf user create backup --service --groups Robots
`,
  {
    args: {
      who: {
        type: "positional",
        required: true,
        valueHint: "email|name",
      },
      groups: { type: "string" },
      role: { type: "enum", options: ROLES, default: "user" },
      name: { type: "string" },
      service: { type: "boolean" },
      "password-stdin": { type: "boolean" },
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
        ...(args["password-stdin"] === true
          ? { password: await passwordFromStdin(`qf user create ${args.who} --password-stdin`) }
          : {}),
      };
      const answer = await admin.request("POST", "/api/users", { body, answer: User });
      if (args.json === true) return printBody(answer);
      const { id, invite_link: link, invite_expires_at: until = "" } = answer.value;
      await print(`created ${isService ? "service user" : "user"} ${args.who} (${id})\n`);
      if (link !== undefined) await printLink("invitation", { link, expires_at: until });
    },
  },
  { repeatable: ["groups"] },
);

export const userUpdate = command(
  `
Change the groups or role of a user, or block or approve them. Everything else stays as it is. Open
connections are checked again.

usage: qf user update USER [--groups GROUP,...] [--role ROLE] [--blocked=BOOL] [--approve]

options:
  --groups GROUP,...       replace the user's groups; may be repeated
  --role ROLE              owner, admin, auditor or user
  --blocked                block the user; --blocked=false lets them in again
  --approve                approve a person who is waiting for approval
${FORCE_OPTION}
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id.

examples:
  qf user update ada@example.com --groups Developers,Oncall
  qf user update ada@example.com --blocked
`,
  {
    args: {
      user: { type: "positional", required: true },
      groups: { type: "string" },
      role: { type: "enum", options: ROLES },
      blocked: { type: "boolean" },
      approve: { type: "boolean" },
      ...FORCE_ARGS,
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
      const answer = await admin.request("PUT", changePath(`/api/users/${user.id}`, args), {
        body,
        answer: User,
      });
      await printChanged(args, { before: user, body, answer }, `user ${args.user} (${user.id})`);
    },
  },
  { repeatable: ["groups"] },
);

export const userDelete = command(
  `
Delete a user with their tokens and devices. The audit log keeps their history.

usage: qf user delete USER [--management-url URL]

options:
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id.

examples:
  qf user delete ada@example.com
  qf user delete backup
`,
  {
    args: { user: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const user = await admin.userOf(args.user);
      await deleteAt(admin, args, { path: `/api/users/${user.id}`, what: `user ${args.user} (${user.id})` });
    },
  },
);
