import { expect, test } from "bun:test";
import { undoneFields } from "../../src/policy/undone-fields.ts";
import type { MapRule, MapSettings } from "../../src/wire/network-map.ts";
import { SshCapabilities } from "../../src/wire/policy.ts";
import { aRule } from "../support/policy.ts";

const none = { record: "off", reason: false, approval: false, reauthWithinSeconds: null } as const;
type Change = Partial<MapRule>;

function fieldsOf(stricter: Change, looser: Change, require: MapSettings["require"] = none): string[] {
  return undoneFields({
    stricter: aRule("strict", ["devs"], ["deploy"], stricter),
    looser: aRule("loose", ["devs"], ["deploy"], looser),
    require,
    addsLocalUsers: false,
  });
}

const hours = (days: readonly ("mon" | "sat")[], from: string, to: string): Change => ({
  schedule: { windows: [{ days: [...days], from, to }] },
});
const ssh = (capabilities: SshCapabilities): Change => ({ capabilities });

// `yes` undoes the field of `stricter`; `no` is the nearest rule that does not.
const rows: { field: string; stricter: Change; yes: Change; no: Change }[] = [
  { field: "source_devices", stricter: { sourceDevices: ["a"] }, yes: {}, no: { sourceDevices: ["a"] } },
  {
    field: "source_devices",
    stricter: { sourceDevices: ["a", "b"] },
    yes: { sourceDevices: ["a", "c"] },
    no: { sourceDevices: ["b"] },
  },
  {
    field: "source_posture_checks",
    stricter: { postureChecks: ["a", "b"] },
    yes: { postureChecks: ["a"] },
    no: { postureChecks: ["b", "a", "c"] },
  },
  {
    field: "valid_from",
    stricter: { validFromSeconds: 100 },
    yes: { validFromSeconds: 99 },
    no: { validFromSeconds: 100 },
  },
  { field: "valid_from", stricter: { validFromSeconds: 100 }, yes: {}, no: { validFromSeconds: 101 } },
  {
    field: "valid_until",
    stricter: { validUntilSeconds: 100 },
    yes: { validUntilSeconds: 101 },
    no: { validUntilSeconds: 100 },
  },
  {
    field: "schedule",
    stricter: hours(["mon"], "08:00", "18:00"),
    yes: {},
    no: hours(["mon"], "08:00", "18:00"),
  },
  {
    field: "schedule",
    stricter: hours(["mon"], "08:00", "18:00"),
    yes: hours(["mon"], "08:00", "18:01"),
    no: hours(["mon"], "08:01", "18:00"),
  },
  {
    field: "schedule",
    stricter: hours(["mon"], "08:00", "18:00"),
    yes: hours(["mon", "sat"], "08:00", "18:00"),
    no: hours(["sat"], "08:00", "18:00"),
  },
  {
    field: "ssh.commands",
    stricter: ssh({ commands: ["/bin/a"], sftp: "write" }),
    yes: ssh({ commands: ["/bin/a", "/bin/b"] }),
    no: ssh({ commands: ["/bin/a"] }),
  },
  {
    field: "ssh.commands",
    stricter: ssh({ commands: ["/bin/a"], sftp: "write" }),
    yes: ssh({ commands: null }),
    no: ssh({ commands: [] }),
  },
  { field: "ssh.sftp", stricter: ssh({ sftp: "off" }), yes: ssh({ sftp: "read" }), no: ssh({ sftp: "off" }) },
  { field: "ssh.pty", stricter: ssh({ pty: false }), yes: ssh({ pty: true }), no: ssh({ pty: false }) },
  {
    field: "ssh.agent_forwarding",
    stricter: {},
    yes: ssh({ agent_forwarding: true }),
    no: ssh({ agent_forwarding: false }),
  },
  {
    field: "ssh.local_forward",
    stricter: ssh({ local_forward: ["db:5432"] }),
    yes: {},
    no: ssh({ commands: ["/bin/a"] }),
  },
  {
    field: "ssh.local_forward",
    stricter: ssh({ local_forward: ["db:5432", "*:80"] }),
    yes: ssh({ local_forward: ["db:5433"] }),
    no: ssh({ local_forward: ["DB:5432", "web:80"] }),
  },
  {
    field: "ssh.local_forward",
    stricter: ssh({ local_forward: [] }),
    yes: ssh({ local_forward: ["db:1"] }),
    no: ssh({ local_forward: [] }),
  },
  {
    field: "ssh.remote_forward",
    stricter: ssh({ remote_forward: ["127.0.0.1:8080"] }),
    yes: {},
    no: ssh({ remote_forward: ["localhost:8080"] }),
  },
  {
    field: "ssh.remote_forward",
    stricter: ssh({ remote_forward: [] }),
    yes: ssh({ remote_forward: ["0.0.0.0:80"] }),
    no: ssh({ commands: [] }),
  },
  { field: "ssh.env", stricter: ssh({ env: [] }), yes: {}, no: ssh({ commands: [] }) },
  {
    field: "ssh.env",
    stricter: ssh({ env: ["LC_*"] }),
    yes: ssh({ env: ["L*"] }),
    no: ssh({ env: ["LC_ALL", "LC_*"] }),
  },
  {
    field: "ssh.record",
    stricter: ssh({ record: "required" }),
    yes: ssh({ record: "best_effort" }),
    no: ssh({ record: "required" }),
  },
  {
    field: "ssh.record_input",
    stricter: ssh({ record_input: "all" }),
    yes: ssh({ record_input: "shown" }),
    no: ssh({ record_input: "all" }),
  },
  {
    field: "ssh.allow_unmanaged_devices",
    stricter: {},
    yes: ssh({ allow_unmanaged_devices: true }),
    no: ssh({ allow_unmanaged_devices: false }),
  },
  {
    field: "allow_intercepted",
    stricter: {},
    yes: { allowIntercepted: ["a"] },
    no: ssh({ allow_unmanaged_devices: false }),
  },
  {
    field: "allow_intercepted",
    stricter: { allowIntercepted: ["a", "b"] },
    yes: { allowIntercepted: ["a", "c"] },
    no: { allowIntercepted: ["b"] },
  },
  {
    field: "ssh.allow_browsers",
    stricter: ssh({ allow_browsers: false }),
    yes: ssh({ allow_browsers: true }),
    no: ssh({ allow_browsers: false }),
  },
  {
    field: "ssh.require_reason",
    stricter: ssh({ require_reason: true }),
    yes: ssh({ require_reason: false }),
    no: ssh({ require_reason: true }),
  },
  {
    field: "ssh.require_approval",
    stricter: ssh({ require_approval: true }),
    yes: {},
    no: ssh({ require_approval: true }),
  },
  ...(["reauth_within_seconds", "max_session_seconds", "idle_timeout_seconds"] as const).flatMap((field) => [
    {
      field: `ssh.${field}`,
      stricter: ssh({ [field]: 60 }),
      yes: ssh({ [field]: 61 }),
      no: ssh({ [field]: 60 }),
    },
    { field: `ssh.${field}`, stricter: ssh({ [field]: 60 }), yes: {}, no: ssh({ [field]: 59 }) },
  ]),
];

test.each(rows.map((row, i) => ({ ...row, i })))(
  "undoneFields names $field where it is undone, and not one step before ($i)",
  ({ field, stricter, yes, no }) => {
    expect(fieldsOf(stricter, yes)).toContain(field);
    expect(fieldsOf(stricter, no)).not.toContain(field);
    // A rule undoes nothing of itself.
    expect(fieldsOf(stricter, stricter)).toEqual([]);
  },
);

test("every capability of a rule has a row above, so that a new one gets one", () => {
  const covered = new Set(rows.map(({ field }) => field));
  const missing = Object.keys(SshCapabilities.shape).filter((field) => !covered.has(`ssh.${field}`));
  expect(missing).toEqual([]);
});

test("windows that together cover a longer one count as it does", () => {
  const halves: Change = {
    schedule: {
      windows: [
        { days: ["mon"], from: "12:00", to: "18:00" },
        { days: ["mon"], from: "08:00", to: "12:00" },
      ],
    },
  };
  const gap = hours(["mon"], "08:00", "12:00");
  expect(fieldsOf(halves, hours(["mon"], "08:00", "18:00"))).toEqual([]);
  expect(fieldsOf(hours(["mon"], "08:00", "18:00"), halves)).toEqual([]);
  expect(fieldsOf(gap, halves)).toEqual(["schedule"]);
});

test.each([
  ["ssh.record", { record: "required" }, { ...none, record: "required" }],
  ["ssh.require_reason", { require_reason: true }, { ...none, reason: true }],
  ["ssh.require_approval", { require_approval: true }, { ...none, approval: true }],
  ["ssh.reauth_within_seconds", { reauth_within_seconds: 60 }, { ...none, reauthWithinSeconds: 60 }],
] as const)(
  "%s that the account asks of every grant is undone by no rule",
  (field, capabilities, require) => {
    expect(fieldsOf(ssh(capabilities), {}, require)).toEqual([]);
    expect(fieldsOf(ssh(capabilities), {})).toEqual([field]);
  },
);

test("local users that the looser rule adds are named as authorized_groups", () => {
  const stricter = aRule("strict", ["devs"], ["deploy"]);
  const looser = aRule("loose", ["devs"], ["deploy", "ann"]);
  expect(undoneFields({ stricter, looser, require: none, addsLocalUsers: true })).toEqual([
    "authorized_groups",
  ]);
});
