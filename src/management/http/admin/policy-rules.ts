/**
 * Checks of a rule beyond its shape, made when it is saved, so that no rule means something else than it
 * seems to.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { isSshProtocol } from "../../../policy/decide/snapshot.ts";
import type { PolicyRuleWrite, PolicyWrite } from "../../../wire/policy.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../../../wire/ports.ts";

const PORT_MAX = 65_535;

/** Throws ERR_UNPROCESSABLE naming the field of the first fault. Ids are `references.ts`'s. */
export function requireRules(policy: PolicyWrite): void {
  policy.rules.forEach((rule, i) => {
    const at = `rules[${i}]`;
    requireSides(rule, at);
    requirePorts(rule, at);
    if (rule.source_devices?.length === 0) {
      throw unprocessable(`${at}.source_devices is empty`, "leave it out for any device, or name groups");
    }
    if (isSshProtocol(rule)) requireNoMachineFields(rule, at);
    else requireNoSshFields(rule, at);
    requireTimes(rule, at);
  });
}

function requireSides(rule: PolicyRuleWrite, at: string): void {
  const sides = [
    { groups: "sources", resource: "sourceResource" },
    { groups: "destinations", resource: "destinationResource" },
  ] as const;
  for (const { groups, resource } of sides) {
    // An empty list is written as well: it is nobody, and not "any".
    const hasGroups = (rule[groups] ?? null) !== null;
    const hasResource = (rule[resource] ?? null) !== null;
    if (hasGroups && hasResource) {
      throw unprocessable(`${at} has both ${groups} and ${resource}`, `give ${groups} or ${resource}`);
    }
    if (!hasGroups && !hasResource) {
      throw unprocessable(`${at} has neither ${groups} nor ${resource}`, `give ${groups} or ${resource}`);
    }
  }
}

function requirePorts(rule: PolicyRuleWrite, at: string): void {
  const ports = (rule.ports ?? []).map(Number);
  const ranges = rule.port_ranges ?? [];
  const isBad = ports.find((port) => port < 1 || port > PORT_MAX);
  if (isBad !== undefined) throw unprocessable(`${at}.ports names ${isBad}, which is no port`);
  if (ports.length > 0 && ranges.length > 0) {
    throw unprocessable(`${at} has both ports and port_ranges`, "write single ports as ranges as well");
  }
  if ((rule.protocol === "icmp" || rule.protocol === "all") && ports.length + ranges.length > 0) {
    throw unprocessable(`${at} names ports, which protocol ${rule.protocol} does not have`);
  }
  if (!isSshProtocol(rule)) return;
  const ends = [...ports, ...ranges.flatMap(({ start, end }) => (start === end ? [start] : [start, end]))];
  const isWide = ranges.some(({ start, end }) => start !== end);
  const other = isWide ? ends.at(-1) : ends.find((port) => port !== SSH_PORT && port !== SSH_ENDPOINT_PORT);
  if (other !== undefined) {
    throw unprocessable(
      `${at} names ports other than ${SSH_PORT} and ${SSH_ENDPOINT_PORT}, ` +
        `which a ${rule.protocol} rule does not open`,
      `leave ports out, or open others with a tcp rule`,
    );
  }
}

function requireNoSshFields(rule: PolicyRuleWrite, at: string): void {
  const isLimited = Object.keys(rule.authorized_groups ?? {}).length > 0;
  const field = isLimited ? "authorized_groups" : rule.ssh !== undefined ? "ssh" : undefined;
  if (field === undefined) return;
  throw unprocessable(
    `${at}.${field} is for rules of protocol qufabric-ssh only`,
    `leave it out, or set protocol to qufabric-ssh`,
  );
}

function requireNoMachineFields(rule: PolicyRuleWrite, at: string): void {
  if (rule.machine_local_users === undefined) return;
  throw unprocessable(
    `${at}.machine_local_users is for rules of protocol tcp and all only`,
    "name local users per group in authorized_groups",
  );
}

function requireTimes(rule: PolicyRuleWrite, at: string): void {
  const { valid_from, valid_until } = rule;
  if (valid_from !== undefined && valid_until !== undefined && valid_until <= valid_from) {
    throw unprocessable(`${at}.valid_until is not after valid_from`);
  }
}

export function unprocessable(message: string, hint?: string): QfError {
  return new QfError("ERR_UNPROCESSABLE", message, hint === undefined ? {} : { hint });
}
