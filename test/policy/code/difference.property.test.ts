/**
 * The difference against trying every pair: on small accounts made at random, each with the whole map that a
 * machine would get.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type AccessSide, accessOf, prepareAccess, probesOf } from "../../../src/policy/code/access.ts";
import { differenceOf } from "../../../src/policy/code/difference.ts";
import type { DifferenceBlock } from "../../../src/policy/code/difference-types.ts";
import type { Floor } from "../../../src/policy/decide/obligations.ts";
import { type AccountPeer, compileMap, indexAccount } from "../../../src/policy/maps/compile.ts";
import { requireAt } from "../../../src/policy/maps/group-floors.ts";
import type { MapRule, MapUser } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const NOW = 1_795_000_000;
const GROUPS = ["devs", "ops"] as const;
const SERVERS = ["servers", "dbs"] as const;
const { settings } = aMap({});

const some = <T>(from: readonly T[], max = 2) => fc.uniqueArray(fc.constantFrom(...from), { maxLength: max });

/** `usual` mostly: with every condition at once nobody would get in anywhere. */
const seldom = <T>(usual: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
const one = <T>(from: readonly T[]) =>
  fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 2 });

const people = fc.record({
  users: fc.array(
    fc.record({
      groups: some(GROUPS),
      status: seldom<"active" | "blocked">("active", fc.constant("blocked")),
      devices: fc.array(
        fc.record({
          groups: some(GROUPS),
          ownerApproved: seldom(true, fc.constant(false)),
          status: seldom<"active" | "pending">("active", fc.constant("pending")),
          posture: some(["p"]),
          vouched: some(SERVERS, 1),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 3, maxLength: 6 },
  ),
  machines: fc.array(
    fc.record({
      groups: one([...SERVERS, "devs"]),
      owner: seldom<string | null>(null, fc.constant("u0")),
      ssh: seldom(true, fc.constant(false)),
    }),
    { minLength: 2, maxLength: 5 },
  ),
});

const localUsers = fc.uniqueArray(fc.constantFrom("deploy", "root", "*"), { minLength: 1, maxLength: 2 });
const aRandomRule = fc
  .record({
    word: fc.constantFrom("r1", "r2", "r3", "r4"),
    action: seldom<"accept" | "drop">("accept", fc.constant("drop")),
    protocol: seldom<"qufabric-ssh" | "tcp" | "all">("qufabric-ssh", fc.constantFrom("tcp", "all")),
    bidirectional: fc.boolean(),
    sources: one(GROUPS),
    sourcePeer: seldom<string | null>(null, fc.constantFrom("u0d0", "u1d0", "m0")),
    devices: seldom<(typeof GROUPS)[number][]>([], one(GROUPS)),
    keys: fc.dictionary(fc.constantFrom(...GROUPS), localUsers, { maxKeys: 2 }),
    destinations: one([...SERVERS, "devs"]),
    destinationPeer: seldom<string | null>(null, fc.constant("m0")),
    posture: seldom<string[]>([], fc.constant(["p"])),
    from: seldom<number | null>(null, fc.constantFrom(NOW + 10, NOW - 10)),
    until: seldom<number | null>(null, fc.constantFrom(NOW + 10, NOW)),
    capabilities: seldom<MapRule["capabilities"]>(
      {},
      fc.record(
        {
          sftp: fc.constantFrom("read" as const, "read" as const, "off" as const),
          commands: seldom<string[] | null>(null, some(["/bin/true", "/bin/false"])),
          local_forward: some(["db:5432", "*:22", "db:*"]),
          remote_forward: some(["*:*", "localhost:80"]),
          agent_forwarding: fc.boolean(),
          record: fc.constantFrom("required" as const, "best_effort" as const),
          require_approval: fc.boolean(),
          require_reason: fc.boolean(),
          reauth_within_seconds: fc.constant(60),
          allow_unmanaged_devices: fc.boolean(),
        },
        { requiredKeys: [] },
      ),
    ),
  })
  .map(
    (r): MapRule =>
      aRule(r.word, [], "full", {
        action: r.action,
        protocol: r.protocol,
        bidirectional: r.bidirectional,
        sources: r.sourcePeer === null ? r.sources.map(anId) : [],
        sourcePeerId: r.sourcePeer === null ? null : anId(r.sourcePeer),
        sourceDevices: r.devices.map(anId),
        authorizedGroups:
          r.protocol === "qufabric-ssh"
            ? Object.fromEntries(Object.entries(r.keys).map(([key, names]) => [anId(key), names]))
            : {},
        destinations: r.destinationPeer === null ? r.destinations.map(anId) : [],
        destinationPeerId: r.destinationPeer === null ? null : anId(r.destinationPeer),
        postureChecks: r.posture,
        validFromSeconds: r.from,
        validUntilSeconds: r.until !== null && r.from !== null && r.until <= r.from ? null : r.until,
        capabilities: r.capabilities,
      }),
  );
const rules = fc.uniqueArray(aRandomRule, { maxLength: 4, selector: (rule) => rule.id });

interface Account {
  readonly users: MapUser[];
  readonly peers: AccountPeer[];
}

const accounts = people.map(({ users, machines }): Account => {
  const devices = users.flatMap(({ devices }, i) =>
    devices.map((device, j) => ({
      ...aPeer(`u${i}d${j}`, device.groups, {
        ownerUserId: anId(`u${i}`),
        ownerApproved: device.ownerApproved,
        status: device.status,
        posturePassed: device.posture,
        vouchedGroups: device.vouched.map(anId),
      }),
      sshEnabled: false,
    })),
  );
  return {
    users: users.map(({ groups, status }, i) => aUser(`u${i}`, groups, { status })),
    peers: [
      ...devices,
      ...machines.map(({ groups, owner, ssh }, i) => ({
        ...aPeer(`m${i}`, groups, { kind: "machine", ownerUserId: owner === null ? null : anId(owner) }),
        sshEnabled: ssh,
      })),
    ],
  };
});

/** By group, what it requires at its machines; mostly nothing. */
const floors = fc
  .tuple(
    ...[...SERVERS, "devs"]
      .map((group) =>
        fc
          .record({
            record: fc.constantFrom("off" as const, "best_effort" as const, "required" as const),
            reason: fc.boolean(),
            approval: fc.boolean(),
            reauthWithinSeconds: fc.constantFrom(null, 60, 600),
          })
          .map((floor) => [anId(group), floor] as const),
      )
      .map((floor) => fc.option(floor, { freq: 2 })),
  )
  .map((list) => new Map<string, Floor>(list.filter((entry) => entry !== null)));
const noFloors = fc.constant(new Map<string, Floor>());

/** The account where groups require this. */
function under(account: Account, requires: ReadonlyMap<string, Floor>): Account {
  const peers = account.peers.map((peer) => ({ ...peer, ...requireAt(peer.groups, requires) }));
  return { ...account, peers };
}

/** The rules and what groups require, on one side. */
const sides = fc.record({ rules, requires: fc.oneof(noFloors, floors) });
type Side = typeof sides extends fc.Arbitrary<infer T> ? T : never;

function differenceBetween(account: Account, before: Side, after: Side): DifferenceBlock[] {
  return differenceOf({
    ...{ ...under(account, before.requires), peersAfter: under(account, after.requires).peers },
    ...{ settings, before: before.rules, after: after.rules, nowSeconds: NOW },
  });
}

/** What a machine's own map says, with everything in it that management would send. */
function sideOf(given: Account, { id }: AccountPeer, { rules: list, requires }: Side): AccessSide {
  const account = under(given, requires);
  const machine = account.peers.find((peer) => peer.id === id) as AccountPeer;
  const index = indexAccount({
    ...aMap({}),
    ...{ cas: [], issuers: [], managementKeys: [], revokedLogins: [] },
    ...account,
    rules: list,
  });
  const map = compileMap(index, machine.id);
  return prepareAccess({
    ...{ machine, settings, nowSeconds: NOW },
    rules: Object.values(map?.rules ?? {}),
    users: Object.values(map?.users ?? {}),
    peers: Object.values(map?.peers ?? {}),
  });
}

function changeOf(blocks: readonly DifferenceBlock[], userId: string, machineId: string, localUser: string) {
  const found = blocks.filter((block) => block.users.includes(userId) && block.machines.includes(machineId));
  expect(found.length).toBeLessThanOrEqual(1);
  const changes = found[0]?.changes ?? [];
  const change =
    changes.find((found) => found.localUser === localUser) ??
    changes.find((found) => found.localUser === "*");
  return { gained: change?.gained ?? [], lost: change?.lost ?? [] };
}

/** Details of words are told where a rule that speaks of the person names them. */
const plain = (words: Iterable<string>): string[] => [...words].filter((word) => !word.includes(" ")).sort();

/** Half of the time only what groups require changes. */
const changes = fc
  .record({ before: sides, after: sides, isSameRules: fc.boolean() })
  .map(({ before, after, isSameRules }) => ({
    before,
    after: isSameRules ? { ...after, rules: before.rules } : after,
  }));

test("old and difference are new, for every person, machine and local user", () => {
  fc.assert(
    fc.property(accounts, changes, (account, { before, after }) => {
      const blocks = differenceBetween(account, before, after);
      const probes = probesOf([...before.rules, ...after.rules]);
      for (const machine of account.peers.filter(({ kind }) => kind === "machine")) {
        const [old, now] = [sideOf(account, machine, before), sideOf(account, machine, after)];
        for (const user of account.users) {
          const devices = account.peers.filter(
            (peer) => peer.ownerUserId === user.id && peer.kind === "device",
          );
          const [was, is] = [accessOf(old, user, devices, probes), accessOf(now, user, devices, probes)];
          for (const localUser of probes.localUsers) {
            const { gained, lost } = changeOf(blocks, user.id, machine.id, localUser);
            const expected = new Set(was.get(localUser) ?? []);
            for (const word of lost) expected.delete(word);
            for (const word of gained) expected.add(word);
            expect(plain(expected)).toEqual(plain(is.get(localUser) ?? []));
            expect(gained.filter((word) => was.get(localUser)?.has(word))).toEqual([]);
            expect(lost.filter((word) => is.get(localUser)?.has(word))).toEqual([]);
            // What a block leaves out is nothing that changed where it is told at all.
            for (const word of gained) expect(is.get(localUser)?.has(word)).toBe(true);
          }
        }
      }
    }),
    { numRuns: 800 },
  );
});

test("the same rules in another order are no difference, and both ways are each other's opposite", () => {
  fc.assert(
    fc.property(accounts, changes, (account, { before, after }) => {
      const difference = (a: Side, b: Side) => differenceBetween(account, a, b);
      expect(difference(before, { ...before, rules: [...before.rules].reverse() })).toEqual([]);
      const flat = (blocks: readonly DifferenceBlock[], take: "gained" | "lost"): string[] =>
        blocks
          .flatMap(({ users, machines, changes }) =>
            users.flatMap((user) =>
              machines.flatMap((machine) =>
                changes.flatMap((change) =>
                  change[take].map((word) => [user, machine, change.localUser, word].join(" ")),
                ),
              ),
            ),
          )
          .sort();
      expect(flat(difference(before, after), "gained")).toEqual(flat(difference(after, before), "lost"));
    }),
    { numRuns: 200 },
  );
});

const web: AccountPeer = { ...aPeer("web", ["servers"], { kind: "machine" }), sshEnabled: true };
const deviceOf = (owner: string, posturePassed: string[]): AccountPeer => ({
  ...aPeer(`${owner}-laptop`, [], { ownerUserId: anId(owner), posturePassed }),
  sshEnabled: false,
});

test("people whose devices differ in what they pass are told apart", () => {
  const account = {
    users: [aUser("ada", ["devs"]), aUser("bob", ["devs"])],
    peers: [deviceOf("ada", ["p"]), deviceOf("bob", []), web],
  };
  const after = [aRule("r", ["devs"], ["deploy"], { postureChecks: ["p"] })];
  const blocks = differenceOf({ ...account, settings, before: [], after, nowSeconds: NOW });
  expect(blocks.map(({ users }) => users)).toEqual([[anId("ada")]]);
});

test("of two rules that grant sftp, the one whose grant counts says whether it writes", () => {
  const account = { users: [aUser("ada", ["devs"])], peers: [deviceOf("ada", []), web] };
  const rule = (word: string, capabilities: MapRule["capabilities"]) =>
    aRule(word, ["devs"], ["deploy"], { capabilities });
  // It asks less than the rule that may write, so that its grant is the one.
  const reading = rule("b", { sftp: "read" });
  const before = [rule("a", { max_session_seconds: 60 })];
  const after = [...before, reading];
  const [block] = differenceOf({ ...account, settings, before, after, nowSeconds: NOW });
  expect(block?.changes).toEqual([{ localUser: "deploy", gained: [], lost: ["sftp_write"] }]);
});

test("rules that did not change are told apart where what is required changes", () => {
  const floor: Floor = { record: "required", reason: true, approval: true, reauthWithinSeconds: 60 };
  const on = (word: string, require?: Floor): AccountPeer => ({ ...web, id: anId(word), require });
  const rule = aRule("r", ["devs"], ["deploy"]);
  const laptop = deviceOf("ada", []);
  const strict = aRule("s", ["devs"], ["root"], {
    capabilities: { record: "required", require_reason: true, require_approval: true },
  });
  const change = (list: MapRule[], old: AccountPeer[], now: AccountPeer[]) =>
    differenceOf({
      ...{ users: [aUser("ada", ["devs"])], peers: [laptop, ...old], peersAfter: now },
      ...{ settings, before: list, after: list, nowSeconds: NOW },
    });
  const freed = change([rule, strict], [on("db", floor), on("web")], [on("db"), on("web")]);
  expect(freed.map(({ machines }) => machines)).toEqual([[anId("db")]]);
  const words = ["without_approval", "without_reason", "without_recent_sign_in", "without_recording"];
  const [deploy, root] = ["deploy", "root"].map((name) =>
    freed[0]?.changes.find(({ localUser }) => localUser === name),
  );
  expect(deploy).toMatchObject({ gained: expect.arrayContaining(["local_forward", ...words]), lost: [] });
  expect(root).toMatchObject({ gained: ["without_recent_sign_in"], lost: [] });
  const bound = change([rule], [on("db"), on("web")], [on("db", floor), on("web")]);
  expect(bound[0]?.changes[0]).toMatchObject({ gained: [], lost: expect.arrayContaining(words) });
  expect(change([rule], [on("db", floor)], [on("db", { ...floor })])).toEqual([]);
  expect(change([], [on("db", floor)], [on("db")])).toEqual([]);
});

test("machines of the same rules are told apart where their groups require something else", () => {
  const require: Floor = { record: "off", reason: false, approval: true, reauthWithinSeconds: null };
  const peers = [deviceOf("ada", []), web, { ...web, id: anId("db"), require }];
  const after = [aRule("r", ["devs"], ["deploy"])];
  const blocks = differenceOf({
    ...{ users: [aUser("ada", ["devs"])], peers, settings, before: [], after, nowSeconds: NOW },
  });
  const easy = blocks.filter(({ changes: [change] }) => change?.gained.includes("without_approval"));
  expect(blocks.map(({ machines }) => machines.length)).toEqual([1, 1]);
  expect(easy.map(({ machines }) => machines)).toEqual([[anId("web")]]);
});
