/**
 * Words for access requests.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { Tone } from "../../components/badge.tsx";

export type Request = Answer<"GET /api/access/requests">[number];

/** What the request is for. */
export function subjectText({ machine, local_user, group }: Request): string {
  return machine === null ? `the group ${group?.name ?? ""}` : `${local_user ?? ""} on ${machine.name}`;
}

/** Who may decide the request. */
export function approversText({ approver_groups }: Pick<Request, "approver_groups">): string {
  if (approver_groups.length === 0) return "an owner or admin";
  return `a member of ${approver_groups.map(({ name }) => name).join(" or ")}`;
}

/** The badge colour of a state. */
export function toneOf({ state }: Pick<Request, "state">): Tone {
  if (state === "waiting") return "warn";
  if (state === "approved") return "good";
  return state === "denied" ? "bad" : "plain";
}

const CAUSES: Readonly<Record<NonNullable<Request["end_cause"]>, string>> = {
  time: "its time was over",
  taken_back: "an approver took it back",
  given_up: "who asked gave it up",
  rule_changed: "its rule was changed",
  approver_gone: "who approved it was blocked or deleted",
  requester_gone: "who asked for it was deleted",
};

/** Why approved access ended. Null if it has not ended, or was never approved. */
export function causeText({ end_cause }: Pick<Request, "end_cause">): string | null {
  return end_cause === null ? null : CAUSES[end_cause];
}
