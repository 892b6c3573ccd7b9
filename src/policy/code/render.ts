/**
 * An account as a policy file, which `resolveFile` reads back without a change.
 *
 * Default values are left out. Names are used where they are unambiguous, ids elsewhere.
 *
 * @module
 */
import type {
  AccountGroup,
  AccountPolicy,
  AccountRule,
  PolicyAccount,
  PolicyTest,
} from "../../wire/policy-account.ts";
import type {
  PolicyFile,
  PolicyFileGroup,
  PolicyFilePolicy,
  PolicyFileRule,
  PolicyFileTest,
} from "../../wire/policy-file.ts";
import { fileActionOf } from "./file-action.ts";
import { type AccountNames, namesOf } from "./names.ts";

/** `account` as a file. Groups without settings of their own are not named. */
export function renderFile(account: PolicyAccount): PolicyFile {
  const names = namesOf(account);
  const groups = account.groups.filter(({ settings }) => Object.keys(settings).length > 0);
  return {
    policies: account.policies.map((policy) => renderPolicy(policy, names)),
    ...(groups.length === 0
      ? {}
      : {
          groups: Object.fromEntries(
            groups.map((group) => [names.group.nameOf(group.id), renderGroup(group, names)] as const),
          ),
        }),
    ...(account.tests.length === 0 ? {} : { tests: account.tests.map((test) => renderTest(test, names)) }),
  };
}

function renderPolicy(policy: AccountPolicy, names: AccountNames): PolicyFilePolicy {
  const isNamed = !names.policy.nameOf(policy.id).startsWith("id:");
  return {
    ...(isNamed ? {} : { id: `id:${policy.id}` }),
    name: policy.name,
    ...(policy.description ? { description: policy.description } : {}),
    ...(policy.enabled ? {} : { enabled: false }),
    ...(policy.sourcePostureChecks.length === 0
      ? {}
      : { source_posture_checks: policy.sourcePostureChecks.map(names.postureCheck.nameOf) }),
    rules: policy.rules.map((rule) => renderRule(rule, names)),
  };
}

/** One rule, by names. */
export function renderRule(rule: AccountRule, names: AccountNames): PolicyFileRule {
  const named = (groups: readonly string[]): string[] => groups.map(names.group.nameOf);
  const { sources, sourceResource, destinations, destinationResource, ssh } = rule;
  const authorized = Object.entries(rule.authorized_groups ?? {});
  return {
    ...(rule.name === "" ? {} : { name: rule.name }),
    ...(rule.description ? { description: rule.description } : {}),
    ...(rule.enabled ? {} : { enabled: false }),
    ...(rule.action === "accept" ? {} : { action: rule.action }),
    ...(rule.protocol === "qufabric-ssh" ? {} : { protocol: rule.protocol }),
    ...(rule.bidirectional ? { bidirectional: true } : {}),
    ...(sourceResource
      ? { source_peer: names.peer.nameOf(sourceResource.id) }
      : { sources: named(sources ?? []) }),
    ...(rule.source_devices?.length ? { source_devices: named(rule.source_devices) } : {}),
    ...(rule.allow_intercepted?.length ? { allow_intercepted: named(rule.allow_intercepted) } : {}),
    ...(destinationResource
      ? { destination_peer: names.peer.nameOf(destinationResource.id) }
      : { destinations: named(destinations ?? []) }),
    ...(rule.ports?.length ? { ports: rule.ports.map(Number) } : {}),
    ...(rule.port_ranges?.length ? { port_ranges: rule.port_ranges } : {}),
    ...(authorized.length === 0
      ? {}
      : {
          authorized_groups: Object.fromEntries(
            authorized.map(([group, users]) => [names.group.nameOf(group), users] as const),
          ),
        }),
    ...(ssh === undefined || Object.keys(ssh).length === 0 ? {} : { ssh }),
    ...(rule.machine_local_users === undefined ? {} : { machine_local_users: rule.machine_local_users }),
    ...(rule.valid_from === undefined ? {} : { valid_from: rule.valid_from }),
    ...(rule.valid_until === undefined ? {} : { valid_until: rule.valid_until }),
    ...(rule.schedule === undefined ? {} : { schedule: rule.schedule }),
    ...(rule.approver_groups?.length ? { approver_groups: named(rule.approver_groups) } : {}),
    ...(rule.approval_seconds === undefined ? {} : { approval_seconds: rule.approval_seconds }),
  };
}

function renderGroup({ settings }: AccountGroup, names: AccountNames): PolicyFileGroup {
  const { requestable, approverGroups, requestSecondsMax, require } = settings;
  return {
    ...(requestable === undefined ? {} : { requestable }),
    ...(approverGroups === undefined ? {} : { approver_groups: approverGroups.map(names.group.nameOf) }),
    ...(requestSecondsMax === undefined ? {} : { request_seconds_max: requestSecondsMax }),
    ...(require === undefined ? {} : { require }),
  };
}

/** One test, by names. */
export function renderTest(test: PolicyTest, names: AccountNames): PolicyFileTest {
  const action = fileActionOf(test.action);
  return {
    ...(test.name === "" ? {} : { name: test.name }),
    user: names.person.nameOf(test.userId),
    ...(test.devicePeerId === null ? {} : { device: names.device.nameOf(test.devicePeerId) }),
    machine: names.machine.nameOf(test.machinePeerId),
    local_user: test.localUser,
    ...(action === "connect" ? {} : { action }),
    expect: test.expect,
    ...(test.reason === null ? {} : { reason: test.reason }),
  };
}
