/**
 * Settings of a group in the REST API: whether people may ask to be in it for a while, who decides, and what
 * its machines require.
 *
 * @module
 */
import type { Require } from "../../../wire/account-settings.ts";
import type { GroupRequest } from "../../../wire/admin-api.ts";
import type { GroupSettings } from "../../../wire/policy-account.ts";
import type { AccountId } from "../../../wire/units.ts";
import { decidingGroups } from "../../access/request-terms.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { GroupRow } from "../../db/tables/groups.ts";
import { unprocessable } from "./policy-rules.ts";
import { requireKnownGroups } from "./references.ts";

/** The settings after a request; omitted fields stay. Null: no settings. */
export function settingsAfter(
  before: GroupSettings | null,
  { requestable, approver_groups, request_seconds_max, require }: GroupRequest,
): GroupSettings | null {
  const after: GroupSettings = {
    ...before,
    ...(requestable === undefined ? {} : { requestable }),
    ...(approver_groups === undefined ? {} : { approverGroups: [...new Set(approver_groups)] }),
    ...(request_seconds_max === undefined ? {} : { requestSecondsMax: request_seconds_max }),
    ...(require === undefined ? {} : { require: asked({ ...before?.require, ...require }) }),
  };
  if (after.requestable === false) delete after.requestable;
  if (after.approverGroups?.length === 0) delete after.approverGroups;
  if (after.require !== undefined && Object.keys(after.require).length === 0) delete after.require;
  return Object.keys(after).length === 0 ? null : after;
}

/** Only the fields that require something. */
function asked({ record, reason, approval, reauth_within_seconds }: Require): Require {
  return {
    ...(record === undefined || record === "off" ? {} : { record }),
    ...(reason === true ? { reason } : {}),
    ...(approval === true ? { approval } : {}),
    ...(typeof reauth_within_seconds === "number" ? { reauth_within_seconds } : {}),
  };
}

/** Throws ERR_UNPROCESSABLE if people could become approvers by asking. */
export async function requireSaneSettings(
  tx: Reader,
  accountId: AccountId,
  { id, name, settings }: Pick<GroupRow, "id" | "name" | "settings">,
): Promise<void> {
  const approvers = await requireKnownGroups(
    tx,
    accountId,
    settings?.approverGroups ?? [],
    "approver_groups",
  );
  const asked = approvers.find((group) => group.id === id || group.settings?.requestable === true);
  if (asked !== undefined) {
    throw unprocessable(
      `approver_groups names ${asked.name}, ${asked.id === id ? "the group itself" : "which is requestable"}`,
      "people must not come to decide by asking",
    );
  }
  if (settings?.requestable !== true || !(await decidingGroups(tx, accountId)).has(id)) return;
  throw unprocessable(
    `${name} decides about requests, so it cannot be requestable`,
    "people must not come to decide by asking",
  );
}

/** The settings in the form of the REST API. */
export function shownSettings({ settings }: Pick<GroupRow, "settings">) {
  const { requestable, approverGroups, requestSecondsMax, require } = settings ?? {};
  return {
    ...(require === undefined ? {} : { require }),
    ...(requestable === undefined ? {} : { requestable }),
    ...(approverGroups === undefined ? {} : { approver_groups: approverGroups }),
    ...(requestSecondsMax === undefined ? {} : { request_seconds_max: requestSecondsMax }),
  };
}

/** What an event says of the settings. */
export function requestMeta(settings: GroupSettings | null): Record<string, string> {
  const { requestable, approverGroups, requestSecondsMax, require } = settings ?? {};
  return {
    ...(require === undefined ? {} : { require: JSON.stringify(require) }),
    ...(requestable === true ? { requestable: "true" } : {}),
    ...(approverGroups === undefined ? {} : { approver_groups: approverGroups.join(",") }),
    ...(requestSecondsMax === undefined ? {} : { request_seconds_max: String(requestSecondsMax) }),
  };
}
