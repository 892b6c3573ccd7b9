import { beforeEach, expect, test } from "bun:test";
import { defaultSettings } from "../../../../src/management/contracts/settings.ts";
import { updateAccount } from "../../../../src/management/db/tables/accounts.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf } from "../../../support/management.ts";

let api: TestApi;
let devs: string;
let servers: string;
beforeEach(async () => {
  api = await TestApi.open();
  devs = await api.aGroup("devs");
  servers = await api.aGroup("servers");
});

const sides = () => ({ sources: [devs], destinations: [servers] });
const save = (rule: Record<string, unknown>, change: Record<string, unknown> = {}) =>
  api.call("POST", "/api/policies", aPolicyBody([aRuleBody({ ...sides(), ...rule })], change));

test("a policy is given back as it came, groups with their names", async () => {
  const ssh = { sftp: "read", commands: ["/usr/bin/uptime"], require_reason: true };
  const rule = {
    protocol: "netbird-ssh",
    ports: ["22"],
    authorized_groups: { [devs]: ["deploy"] },
    ssh,
    valid_until: 1_900_000_000,
    source_devices: [servers],
  };
  const { status, body } = await save(rule, { description: "d" });
  expect(status).toBe(200);
  expect(body).toMatchObject({ name: "policy", description: "d", enabled: true, source_posture_checks: [] });
  expect(body.rules[0]).toMatchObject({
    ...rule,
    sources: [{ id: devs, name: "devs", peers_count: 0, resources_count: 0 }],
    destinations: [{ id: servers, name: "servers" }],
  });
  expect(body.warnings).toBeUndefined();
  expect((await api.call("GET", `/api/policies/${body.id}`)).body).toEqual(body);
  expect((await api.call("GET", "/api/policies")).body).toEqual([body]);
});

const refused: { name: string; rule: () => Record<string, unknown>; says: string }[] = [
  {
    name: "an empty list of local users",
    rule: () => ({ authorized_groups: { [devs]: [] } }),
    says: 'is empty: name the OS users, or ["*"] for any of them',
  },
  {
    name: "a port an SSH rule has nothing to do with",
    rule: () => ({ ports: ["443"] }),
    says: "other than 22 and 22022",
  },
  {
    name: "a range an SSH rule has nothing to do with",
    rule: () => ({ port_ranges: [{ start: 22, end: 22022 }] }),
    says: "other than 22 and 22022",
  },
  { name: "a port that is none", rule: () => ({ protocol: "tcp", ports: ["0"] }), says: "which is no port" },
  { name: "a port too high", rule: () => ({ protocol: "tcp", ports: ["70000"] }), says: "which is no port" },
  { name: "ports of icmp", rule: () => ({ protocol: "icmp", ports: ["22"] }), says: "icmp" },
  {
    name: "local users on a tcp rule",
    rule: () => ({ protocol: "tcp", authorized_groups: { [devs]: ["x"] } }),
    says: "authorized_groups",
  },
  { name: "ssh on a tcp rule", rule: () => ({ protocol: "tcp", ssh: { pty: false } }), says: "rules[0].ssh" },
  {
    name: "machine users on an SSH rule",
    rule: () => ({ machine_local_users: ["backup"] }),
    says: "machine_local_users",
  },
  { name: "no source", rule: () => ({ sources: null }), says: "neither sources nor sourceResource" },
  { name: "no destination", rule: () => ({ destinations: null }), says: "neither destinations" },
  {
    name: "both kinds of source",
    rule: () => ({ sourceResource: { id: "0".repeat(20), type: "peer" } }),
    says: "both sources and sourceResource",
  },
  { name: "an unknown source", rule: () => ({ sources: ["0".repeat(20)] }), says: "unknown group" },
  {
    name: "an unknown key",
    rule: () => ({ authorized_groups: { ["0".repeat(20)]: ["x"] } }),
    says: "unknown group",
  },
  {
    name: "an unknown peer",
    rule: () => ({ destinations: null, destinationResource: { id: "0".repeat(20), type: "peer" } }),
    says: "unknown peer",
  },
  {
    name: "* beside nothing it could be",
    rule: () => ({ authorized_groups: { [devs]: ["a/b"] } }),
    says: "rules[0].authorized_groups",
  },
  { name: "an unknown field", rule: () => ({ sudo: true }), says: 'unknown field "sudo" in rules[0]' },
  {
    name: "an unknown capability",
    rule: () => ({ ssh: { x11: true } }),
    says: 'unknown field "x11" in rules[0].ssh',
  },
  { name: "an end before its start", rule: () => ({ valid_from: 20, valid_until: 20 }), says: "valid_until" },
  {
    name: "a session of no length",
    rule: () => ({ ssh: { max_session_seconds: 0 } }),
    says: "max_session_seconds",
  },
  { name: "a relative command", rule: () => ({ ssh: { commands: ["uptime"] } }), says: "absolute command" },
  { name: "no kind of device", rule: () => ({ source_devices: [] }), says: "source_devices is empty" },
  { name: "ports of every protocol", rule: () => ({ protocol: "all", ports: ["22"] }), says: "protocol all" },
  {
    name: "ports and ranges",
    rule: () => ({ protocol: "tcp", ports: ["22"], port_ranges: [{ start: 1, end: 9 }] }),
    says: "both ports and port_ranges",
  },
  {
    name: "a peer and an empty list",
    rule: () => ({ destinations: [], destinationResource: { id: "0".repeat(20), type: "peer" } }),
    says: "both destinations and destinationResource",
  },
];

test.each(refused)("a rule with $name is refused with 422", async ({ rule, says }) => {
  const { status, body } = await save(rule());
  expect([status, body.error]).toEqual([422, "ERR_UNPROCESSABLE"]);
  expect(body.message).toContain(says);
  expect((await api.call("GET", "/api/policies")).body).toEqual([]);
});

test("an unknown posture check, and a policy without rules, are refused", async () => {
  const reply = await save({}, { source_posture_checks: ["nope"] });
  expect([reply.status, reply.body.message]).toEqual([422, expect.stringContaining("posture check")]);
  expect((await api.call("POST", "/api/policies", aPolicyBody([]))).status).toBe(422);
});

test.each([
  { ports: ["22"] },
  { ports: ["22022", "22"] },
  { port_ranges: [{ start: 22, end: 22 }] },
  { authorized_groups: {} },
  { protocol: "tcp", ports: ["22", "443"], machine_local_users: ["backup"] },
  { protocol: "tcp", authorized_groups: {} },
  { action: "drop" },
])("a rule with %j is taken", async (rule) => {
  expect((await save(rule)).status).toBe(200);
});

test("a peer stands for a side", async () => {
  const peer = await aPeerOf(api.management.store, api.accountId);
  const resource = { id: peer.id, type: "peer" };
  const { body } = await save({
    destinations: null,
    destinationResource: resource,
    sources: null,
    sourceResource: resource,
  });
  expect(body.rules[0]).toMatchObject({ destinationResource: resource, sourceResource: resource });
});

test("PUT keeps the rules it names and replaces the others", async () => {
  const two = [aRuleBody(sides()), aRuleBody({ ...sides(), name: "second" })];
  const { id, rules } = (await api.call("POST", "/api/policies", aPolicyBody(two))).body;
  const kept = { ...aRuleBody(sides()), id: rules[1].id, name: "kept" };
  const after = (await api.call("PUT", `/api/policies/${id}`, aPolicyBody([kept, aRuleBody(sides())]))).body;
  expect(after.id).toBe(id);
  expect(after.rules[0]).toMatchObject({ id: rules[1].id, name: "kept" });
  expect(after.rules[1].id).not.toBe(rules[0].id);
  const gone = { ...aRuleBody(sides()), id: rules[0].id };
  expect((await api.call("PUT", `/api/policies/${id}`, aPolicyBody([gone]))).status).toBe(422);
  expect((await api.call("PUT", `/api/policies/${id}`, aPolicyBody([kept, kept]))).status).toBe(422);
});

test("a rule of another policy cannot be taken over", async () => {
  const first = (await save({})).body;
  const stolen = aPolicyBody([aRuleBody({ ...sides(), id: first.rules[0].id })], { name: "second" });
  const second = (await api.call("POST", "/api/policies", stolen)).body;
  expect(second.rules[0].id).not.toBe(first.rules[0].id);
  expect((await api.call("PUT", `/api/policies/${second.id}`, stolen)).status).toBe(422);
  expect((await api.call("GET", `/api/policies/${first.id}`)).body.rules).toHaveLength(1);
});

test("saving warns where a looser rule lets the same people in", async () => {
  const strict = {
    name: "strict",
    authorized_groups: { [devs]: ["deploy"] },
    ssh: { require_approval: true },
  };
  expect((await save(strict)).body.warnings).toBeUndefined();
  const { body } = await save({ name: "loose" }, { name: "other" });
  expect(body.warnings).toEqual([
    'rule "loose" of policy "other" lets some of the same people in without ' +
      'authorized_groups, ssh.require_approval of rule "strict" of policy "policy"',
  ]);
  expect((await save({ name: "off", enabled: false }, { name: "third" })).body.warnings).toBeUndefined();
});

test("a warning is given once, and tells policies of one name apart", async () => {
  const ofUser = (user: string) => ({ name: "deploy", authorized_groups: { [devs]: ["deploy", user] } });
  const first = (await save(ofUser("ann"), { name: "deploy" })).body;
  const second = (await save(ofUser("bob"), { name: "deploy" })).body;
  const [one, two] = [first, second].map(({ id }) => `rule "deploy" of policy "deploy" (${id})`);
  const lets = "lets some of the same people in without authorized_groups of";
  expect(second.warnings.toSorted()).toEqual([`${one} ${lets} ${two}`, `${two} ${lets} ${one}`].toSorted());
  const empty = { name: "none", sources: [] };
  const { body } = await save(empty, {
    name: "third",
    rules: [empty, empty].map((rule) => aRuleBody({ ...sides(), ...rule })),
  });
  expect(body.warnings).toHaveLength(1);
});

test("a policy's changes are told and raise the version", async () => {
  const versions: number[] = [];
  api.management.store.onChange((_, version) => versions.push(version));
  const { id, rules } = (await save({})).body;
  await api.call("PUT", `/api/policies/${id}`, aPolicyBody([{ ...aRuleBody(sides()), id: rules[0].id }]));
  await api.call("DELETE", `/api/policies/${id}`);
  expect(versions).toHaveLength(3);
  expect((await api.activities()).slice(2)).toEqual(["policy.add", "policy.update", "policy.delete"]);
});

test("a rule that keeps everything that is typed is saved only where recordings are encrypted", async () => {
  const keeping = { ssh: { record: "required", record_input: "all" } };
  expect((await save({ ssh: { record_input: "shown" } })).status).toBe(200);
  expect(await save(keeping)).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining("rules[0].ssh.record_input") },
  });
  const settings = { ...defaultSettings(), recording_recipients: [`age1${"q".repeat(58)}`] };
  await api.management.store.transaction((tx) => updateAccount(tx, api.accountId, { settings }));
  expect((await save(keeping)).status).toBe(200);
});
