/**
 * The groups claim of a verified token or of UserInfo. Logs what in it is no group name, for operators.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { type GroupsClaim, readGroupsClaim } from "../../identity/groups-claim.ts";
import type { ManagementContext } from "../contracts/context.ts";

/**
 * Reads the claim. Null: none is configured, so administrators manage groups. Throws ERR_LOGIN_FAILED if the
 * provider says that the names are elsewhere (an overage), since those groups were not looked at.
 */
export function readGroups(
  { oidc, log }: Pick<ManagementContext, "oidc" | "log">,
  payload: Readonly<Record<string, unknown>>,
  userInfo: Readonly<Record<string, unknown>>,
): GroupsClaim | null {
  const { groupsClaim } = oidc;
  if (groupsClaim === null) return null;
  const inToken = readGroupsClaim(payload, groupsClaim);
  const inUserInfo = readGroupsClaim(userInfo, groupsClaim);
  const isInToken = inToken.kind !== "absent" && inToken.kind !== "elsewhere";
  const claim = isInToken || inUserInfo.kind === "absent" ? inToken : inUserInfo;
  if (claim.kind === "unreadable") {
    log.warn("groups claim holds no names", {
      claim: groupsClaim,
      expected: "a list, text or object",
      got: claim.got,
    });
  }
  if (claim.kind === "named" && claim.unread > 0) {
    log.warn("groups claim holds entries that are no names", { claim: groupsClaim, entries: claim.unread });
  }
  if (claim.kind === "elsewhere") {
    log.warn("identity provider keeps the groups out of its token", { claim: groupsClaim });
    throw new QfError("ERR_LOGIN_FAILED", "the identity provider has too many groups for its token", {
      hint: "an administrator can have it send only the groups that are assigned to QuFabric's client",
    });
  }
  return claim;
}
