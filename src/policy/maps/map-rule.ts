/**
 * A rule as it is stored to a rule as a machine sees it.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { PolicyRuleWrite } from "../../wire/policy.ts";
import { isSshProtocol } from "../decide/snapshot.ts";

/** What a rule takes from its policy. */
export interface RuleOwner {
  readonly id: string;
  readonly enabled: boolean;
  readonly sourcePostureChecks: readonly string[];
}

/** `body` under `id`, in `policy`. */
export function mapRuleOf(policy: RuleOwner, id: string, body: Omit<PolicyRuleWrite, "id">): MapRule {
  return {
    id,
    policyId: policy.id,
    enabled: policy.enabled && body.enabled,
    action: body.action,
    protocol: body.protocol,
    ports: [
      ...(body.ports ?? []).map((port) => ({ start: Number(port), end: Number(port) })),
      ...(body.port_ranges ?? []),
    ],
    sources: body.sources ?? [],
    sourcePeerId: body.sourceResource?.id ?? null,
    sourceDevices: body.source_devices ?? [],
    destinations: body.destinations ?? [],
    destinationPeerId: body.destinationResource?.id ?? null,
    authorizedGroups: isSshProtocol(body) ? (body.authorized_groups ?? {}) : {},
    capabilities: body.ssh ?? {},
    machineLocalUsers: body.machine_local_users ?? null,
    bidirectional: body.bidirectional,
    validFromSeconds: body.valid_from ?? null,
    validUntilSeconds: body.valid_until ?? null,
    schedule: body.schedule ?? null,
    postureChecks: [...policy.sourcePostureChecks],
  };
}
