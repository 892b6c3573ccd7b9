/** `qf user invite`, `qf user reset-password` and `qf user password`. */
import { QfError } from "../../base/errors.ts";
import { timeText } from "../../base/moment.ts";
import { isEqualSecret } from "../../base/random.ts";
import { PasswordLink, PersonalAccessToken, User } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, NO_ANSWER, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { print } from "../output.ts";
import { askPassword, linesFromStdin } from "../password-input.ts";
import { say } from "../report.ts";

export const userInvite = command(
  `
Print a new invitation link for a person who has not chosen a password yet. Earlier links stop working.

usage: qf user invite USER [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id. Embedded identity provider only.

examples:
  qf user invite ada@example.com
  qf user invite ada@example.com --json
`,
  {
    args: { user: { type: "positional", required: true }, ...ADMIN_ARGS },
    run: ({ args }) => makeLink(args, "invite", "invitation"),
  },
);

export const userResetPassword = command(
  `
Print a link by which a person chooses another password, once, within a day. The old password goes on
working until then; choosing the new one ends their logins and live connections.

usage: qf user reset-password USER [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

USER is an e-mail address, a name or an id. Embedded identity provider only; to keep somebody out at once,
use qf user update USER --blocked.

examples:
  qf user reset-password ada@example.com
  qf user reset-password ada@example.com --json
`,
  {
    args: { user: { type: "positional", required: true }, ...ADMIN_ARGS },
    run: ({ args }) => makeLink(args, "password-reset", "reset"),
  },
);

export const userPassword = command(
  `
Change your own password at the embedded identity provider. Your logins and live connections end; sign in
again afterwards. API tokens that you have made stay good, and are named. The page /idp/password of your
server does the same.

usage: qf user password [--password-stdin] [--management-url URL]

options:
  --password-stdin         read the current password and the new one from standard input, a line each
${ADMIN_OPTIONS}

examples:
  qf user password
  qf user password --password-stdin < passwords.txt
`,
  {
    args: {
      "password-stdin": { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [current, chosen] =
        args["password-stdin"] === true
          ? await linesFromStdin(2, "qf user password --password-stdin")
          : askNewPassword();
      const { value: self } = await admin.request("GET", "/api/users/current", { answer: User });
      // Listed before the change, since this command's own login ends with the old password.
      const path = `/api/users/${self.id}/tokens`;
      const { value: kept } = await admin.request("GET", path, { answer: PersonalAccessToken.array() });
      const body = { old_password: current, new_password: chosen };
      await admin.request("PUT", `/api/users/${self.id}/password`, { body, answer: NO_ANSWER });
      await print("changed your password: run qf login to sign in again\n");
      if (kept.length > 0) {
        say("note", `API tokens of yours that still work: ${kept.map(({ name }) => name).join(", ")}`);
      }
    },
  },
);

async function makeLink(
  args: {
    readonly user: string;
    readonly json?: boolean | undefined;
    readonly "management-url"?: string | undefined;
  },
  path: "invite" | "password-reset",
  what: string,
): Promise<void> {
  const admin = await openAdmin(args);
  const user = await admin.userOf(args.user);
  const answer = await admin.request("POST", `/api/users/${user.id}/${path}`, { answer: PasswordLink });
  if (args.json === true) return printBody(answer);
  await printLink(what, answer.value);
}

/** Prints the link on its own line, so that a triple click selects it. */
export async function printLink(what: string, { link, expires_at: until }: PasswordLink): Promise<void> {
  await print(`${what} link, good once until ${timeText(until)}, shown this once:\n${link}\n`);
}

function askNewPassword(): readonly [string, string] {
  const current = askPassword("Current password: ");
  const chosen = askPassword("New password: ");
  if (!isEqualSecret(askPassword("New password, once more: "), chosen))
    throw new QfError("ERR_USAGE", "the two new passwords differ");
  return [current, chosen];
}
