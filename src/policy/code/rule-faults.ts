/**
 * Faults of a rule beyond its shape, so that no rule means something other than it seems to.
 *
 * @module
 */
import type { PolicyRuleWrite } from "../../wire/policy.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../../wire/ports.ts";
import { isSshProtocol } from "../decide/snapshot.ts";

/** What is wrong with a rule, and what to do about it. */
export interface RuleFault {
  readonly message: string;
  readonly hint?: string;
}

/** The parts that are checked. */
type Checked = Omit<PolicyRuleWrite, "id">;

const PORT_MAX = 65_535;

/** The first fault of `rule`, located at `at`. Null: none. Names and ids are not checked. */
export function faultOfRule(rule: Checked, at: string): RuleFault | null {
  return (
    faultOfPorts(rule, at) ??
    faultOfSourceDevices(rule, at) ??
    (isSshProtocol(rule) ? faultOfMachineFields(rule, at) : faultOfSshFields(rule, at)) ??
    faultOfTimes(rule, at)
  );
}

function faultOfSourceDevices(rule: Checked, at: string): RuleFault | null {
  if (rule.source_devices?.length !== 0) return null;
  return fault(`${at}.source_devices is empty`, "leave it out for any device, or name groups");
}

function faultOfPorts(rule: Checked, at: string): RuleFault | null {
  const ports = (rule.ports ?? []).map(Number);
  const ranges = rule.port_ranges ?? [];
  const isBad = ports.find((port) => port < 1 || port > PORT_MAX);
  if (isBad !== undefined) return fault(`${at}.ports names ${isBad}, which is no port`);
  if (ports.length > 0 && ranges.length > 0) {
    return fault(`${at} has both ports and port_ranges`, "write single ports as ranges as well");
  }
  if ((rule.protocol === "icmp" || rule.protocol === "all") && ports.length + ranges.length > 0) {
    return fault(`${at} names ports, which protocol ${rule.protocol} does not have`);
  }
  if (!isSshProtocol(rule)) return null;
  const ends = [...ports, ...ranges.flatMap(({ start, end }) => (start === end ? [start] : [start, end]))];
  const isWide = ranges.some(({ start, end }) => start !== end);
  const other = isWide ? ends.at(-1) : ends.find((port) => port !== SSH_PORT && port !== SSH_ENDPOINT_PORT);
  if (other !== undefined) {
    return fault(
      `${at} names ports other than ${SSH_PORT} and ${SSH_ENDPOINT_PORT}, ` +
        `which a ${rule.protocol} rule does not open`,
      `leave ports out, or open others with a tcp rule`,
    );
  }
  return null;
}

function faultOfSshFields(rule: Checked, at: string): RuleFault | null {
  const isLimited = Object.keys(rule.authorized_groups ?? {}).length > 0;
  const field = isLimited
    ? "authorized_groups"
    : (["ssh", "allow_intercepted", "approver_groups", "approval_seconds"] as const).find(
        (name) => rule[name] !== undefined,
      );
  if (field === undefined) return null;
  return fault(
    `${at}.${field} is for rules of protocol qufabric-ssh only`,
    `leave it out, or set protocol to qufabric-ssh`,
  );
}

function faultOfMachineFields(rule: Checked, at: string): RuleFault | null {
  if (rule.machine_local_users === undefined) return null;
  return fault(
    `${at}.machine_local_users is for rules of protocol tcp and all only`,
    "name local users per group in authorized_groups",
  );
}

function faultOfTimes(rule: Checked, at: string): RuleFault | null {
  const { valid_from, valid_until } = rule;
  if (valid_from !== undefined && valid_until !== undefined && valid_until <= valid_from) {
    return fault(`${at}.valid_until is not after valid_from`);
  }
  return null;
}

function fault(message: string, hint?: string): RuleFault {
  return hint === undefined ? { message } : { message, hint };
}
