/**
 * Approvals: which one satisfies a rule's `require_approval`, and which rule an approval would open.
 *
 * An approval is for one rule, person, device and local user, on the machine whose map contains it, until its
 * end. It is an additional condition, never a proof of identity.
 *
 * @module
 */
import type { MapApproval } from "../../wire/network-map.ts";
import type { RuleId } from "../../wire/units.ts";
import { decide } from "./decide.ts";
import { outcomeName } from "./outcomes.ts";
import type { AccessRequest } from "./request.ts";
import type { PolicySnapshot } from "./snapshot.ts";

/**
 * The rule to request an approval for: the one `decide` would choose if every rule that lacks only an
 * approval had one. Null when no rule lacks one, or an approval would not suffice. Always null for an
 * unmanaged device.
 */
export function ruleToApprove(request: AccessRequest, snapshot: PolicySnapshot): RuleId | null {
  const { devicePeerId } = request;
  if (devicePeerId === null) return null;
  const decision = decide(request, snapshot);
  if (decision.kind === "allow" || decision.reason !== "approval_required") return null;
  const { ruleIds, outcomes } = decision.trace;
  const lacking = ruleIds.filter((_, i) => outcomeName(outcomes[i] ?? 0) === "approval_required");
  const untilSeconds = Number.MAX_SAFE_INTEGER;
  const approvals = lacking.map((ruleId): MapApproval => {
    return {
      id: ruleId,
      ruleId,
      userId: request.userId,
      devicePeerId,
      localUser: request.localUser,
      untilSeconds,
    };
  });
  const approved = decide(request, withApprovals(snapshot, approvals));
  return approved.kind === "allow" ? approved.grant.ruleId : null;
}

/** `snapshot` as if nothing in it required an approval. */
export function asIfApproved(snapshot: PolicySnapshot): PolicySnapshot {
  const { map } = snapshot;
  const { require } = map.settings;
  return {
    ...snapshot,
    map: { ...map, settings: { ...map.settings, require: { ...require, approval: false } } },
    rules: snapshot.rules.map((prepared) => {
      const { rule } = prepared;
      if (rule.capabilities.require_approval !== true) return prepared;
      return {
        ...prepared,
        rule: { ...rule, capabilities: { ...rule.capabilities, require_approval: false } },
      };
    }),
  };
}

/** `snapshot` with these approvals added. */
function withApprovals(snapshot: PolicySnapshot, more: readonly MapApproval[]): PolicySnapshot {
  const { map } = snapshot;
  const approvals = [...(map.self.approvals ?? []), ...more];
  return { ...snapshot, map: { ...map, self: { ...map.self, approvals } } };
}
