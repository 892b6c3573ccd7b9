/**
 * Converts a stored rule to a machine's form of it.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { PolicyRuleWrite, SshCapabilities } from "../../wire/policy.ts";
import { isSshProtocol } from "../decide/snapshot.ts";

/** What a rule takes from its policy. */
export interface RuleOwner {
  readonly id: string;
  readonly enabled: boolean;
  readonly sourcePostureChecks: readonly string[];
}

/** The account's defaults for unset rule fields. */
export interface RuleDefaults {
  readonly allowBrowsers: boolean;
}

/** `body` under `id`, in `policy`. */
export function mapRuleOf(
  policy: RuleOwner,
  { id, ...body }: PolicyRuleWrite & { readonly id: string },
  defaults: RuleDefaults,
): MapRule {
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
    ...(body.allow_intercepted?.length ? { allowIntercepted: body.allow_intercepted } : {}),
    destinations: body.destinations ?? [],
    destinationPeerId: body.destinationResource?.id ?? null,
    authorizedGroups: isSshProtocol(body) ? (body.authorized_groups ?? {}) : {},
    capabilities: capabilitiesOf(body, defaults),
    machineLocalUsers: body.machine_local_users ?? null,
    bidirectional: body.bidirectional,
    validFromSeconds: body.valid_from ?? null,
    validUntilSeconds: body.valid_until ?? null,
    schedule: body.schedule ?? null,
    postureChecks: [...policy.sourcePostureChecks],
  };
}

/** Sets the rule's field when the account refuses browsers, since machines do not know the setting. */
function capabilitiesOf(body: Omit<PolicyRuleWrite, "id">, { allowBrowsers }: RuleDefaults): SshCapabilities {
  const written = body.ssh ?? {};
  if (allowBrowsers || body.action === "drop" || !isSshProtocol(body)) return written;
  return { allow_browsers: false, ...written };
}
