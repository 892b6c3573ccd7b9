/**
 * /api/users/{id}/invite, /api/users/{id}/password-reset and /api/users/{id}/password: how people of the
 * embedded provider get a password that no one else knows.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { isEqualSecret } from "../../../base/random.ts";
import { PasswordChangeRequest, PasswordLink } from "../../../wire/admin-api.ts";
import { Empty, NoQuery } from "../../../wire/admin-query.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { PasswordLinkRow } from "../../db/tables/password-links.ts";
import { findPasswordUser } from "../../db/tables/sign-in.ts";
import { findUser } from "../../db/tables/users.ts";
import { createPasswordLink, passwordProblem } from "../../idp/password-change.ts";
import { changeOwnPassword } from "../password-routes.ts";
import { mayCall, notFound } from "./access.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";
import { requireMayChange } from "./user-rules.ts";

export const passwordRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/users/:userId/invite",
    summary: "Makes a new invitation link for a person who has not chosen a password yet; it is shown once",
    access: "write",
    query: NoQuery,
    answer: { one: PasswordLink },
    also: [409],
    handle: (call) => linkFor(call, "invitation"),
  }),
  route({
    method: "post",
    path: "/api/users/:userId/password-reset",
    summary: "Makes a link by which a person chooses another password; it is shown once",
    access: "write",
    query: NoQuery,
    answer: { one: PasswordLink },
    also: [409],
    handle: (call) => linkFor(call, "reset"),
  }),
  route({
    method: "put",
    path: "/api/users/:userId/password",
    summary: "Changes the caller's own password, and ends every login of theirs",
    access: "self",
    query: NoQuery,
    body: PasswordChangeRequest,
    answer: { one: Empty },
    also: [409, 429],
    handle: (call) => changeOwn(call),
  }),
];

type NoBody = Call<undefined, Record<string, never>>;

async function linkFor(call: NoBody, kind: PasswordLinkRow["kind"]): Promise<PasswordLink> {
  const { ctx, accountId } = call;
  return call.change({}, async (tx, actor) => {
    const user = await findUser(tx, accountId, call.param("userId"));
    if (user === undefined) throw notFound("user");
    requireMayChange(actor, user);
    // Otherwise a stolen token could bypass the old password.
    if (user.id === actor.id) {
      throw new QfError("ERR_FORBIDDEN", "nobody makes such a link for themselves", {
        hint: "use qf user password, or ask another owner or admin",
      });
    }
    const found = await findPasswordUser(tx, { userId: user.id });
    if (found === undefined) {
      throw new QfError("ERR_CONFLICT", "this user has no password here", {
        hint: "only people of the embedded identity provider have one",
      });
    }
    const isInvited = found.login.passwordHash === "";
    if (isInvited !== (kind === "invitation")) {
      throw isInvited
        ? new QfError("ERR_CONFLICT", "this person has not accepted the invitation yet", {
            hint: "make a new invitation link instead",
          })
        : new QfError("ERR_CONFLICT", "this person has a password already", {
            hint: "make a reset link instead",
          });
    }
    const link = await createPasswordLink(tx, ctx.origin, { userId: user.id, kind });
    const activity = kind === "invitation" ? "user.invite" : "user.password.reset.link";
    tx.record({ activity, targetId: user.id, meta: { email: user.email } });
    return { link: link.url, expires_at: isoTime(link.expiresAt) };
  });
}

/** No one sets another person's password, so not even an owner knows it. */
async function requireSelf({ accountId, user, param }: Call<unknown>, tx: Reader): Promise<void> {
  const userId = param("userId");
  if (userId === user.id) return;
  const other = mayCall(user.role, "read") ? await findUser(tx, accountId, userId) : undefined;
  if (other === undefined) throw notFound("user");
  throw new QfError("ERR_FORBIDDEN", "nobody changes another person's password", {
    hint: "make a reset link: qf user reset-password",
  });
}

async function changeOwn(call: Call<PasswordChangeRequest>): Promise<Record<string, never>> {
  const { ctx, user, body } = call;
  const passwords = ctx.passwords();
  await call.read((tx) => requireSelf(call, tx));
  const problem = passwordProblem(body.new_password);
  if (problem !== null) throw new QfError("ERR_UNPROCESSABLE", `new_password: ${problem}`);
  if (isEqualSecret(body.new_password, body.old_password)) {
    throw new QfError("ERR_UNPROCESSABLE", "new_password is the password that you have");
  }
  const found = await call.read((tx) => findPasswordUser(tx, { userId: user.id }));
  if (found === undefined) throw notFound("password of this user");
  // Counted per person, so that holders of this person's token have the same number of guesses as one source,
  // wherever they are.
  const source = { address: `api ${user.id}` };
  const outcome = await passwords.check(found.login.email, body.old_password, source);
  if (outcome.kind === "too_many") {
    throw new QfError("ERR_TOO_MANY", "too many wrong passwords; wait five minutes");
  }
  if (outcome.kind === "wrong") throw new QfError("ERR_FORBIDDEN", "the old password is wrong");
  await changeOwnPassword({ store: ctx.store, passwords }, outcome.account, body.new_password);
  return {};
}
