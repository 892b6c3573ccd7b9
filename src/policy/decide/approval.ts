/**
 * Approvals: which one meets `require_approval` of a rule, and which rule an approval would open.
 *
 * An approval counts for one rule, person, device and local user, on the machine whose map it is in, and
 * until its end. It is a further condition, never a proof of who asks.
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
 * The rule to ask an approval for: the one that `decide` would choose if every rule that lacks nothing else
 * had one. Null: none lacks an approval, or it would not be enough. A device that is not ours has none.
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

/** `snapshot` as if nothing in it asked for an approval. */
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

/** `snapshot` with these approvals besides its own. */
function withApprovals(snapshot: PolicySnapshot, more: readonly MapApproval[]): PolicySnapshot {
  const { map } = snapshot;
  const approvals = [...(map.self.approvals ?? []), ...more];
  return { ...snapshot, map: { ...map, self: { ...map.self, approvals } } };
}
