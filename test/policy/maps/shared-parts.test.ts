import { expect, test } from "bun:test";
import { type AccountPeer, BROWSERS, type MapScope } from "../../../src/policy/maps/compile.ts";
import { sharedNarrowing, sharing } from "../../../src/policy/maps/shared-parts.ts";
import { anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const ann = aUser("ann", ["devs", "ops"]);
const laptop: AccountPeer = {
  ...aPeer("laptop", ["devs", "ops"]),
  vouchedGroups: [anId("lent")],
  sshEnabled: true,
};
const rule = aRule("r", ["devs"], ["deploy"]);
const scope: MapScope = { users: { a: ann }, peers: { l: laptop }, rules: { r: rule } };

test("a scope of the same entries is the scope before", () => {
  const again = { users: { a: ann }, peers: { l: laptop }, rules: { r: rule } };
  expect(sharing(scope, again)).toBe(scope);
});

test.each<[string, Partial<MapScope>, (keyof MapScope)[]]>([
  ["users", { users: {} }, ["peers", "rules"]],
  ["peers", { peers: { m: laptop } }, ["users", "rules"]],
  ["rules", { rules: { r: { ...rule } } }, ["users", "peers"]],
])("a scope with other %s shares the rest", (_, change, shared) => {
  const now = {
    ...structuredClone(scope),
    users: { a: ann },
    peers: { l: laptop },
    rules: { r: rule },
    ...change,
  };
  const result = sharing(scope, now);
  expect(result).not.toBe(scope);
  expect((["users", "peers", "rules"] as const).filter((name) => result[name] === scope[name])).toEqual(
    shared,
  );
  expect(result).toEqual(now);
});

test("an entry is made once for each set of groups that is left of it", () => {
  const narrowing = sharedNarrowing();
  const devs = new Set([anId("devs")]);
  const first = narrowing.user(ann, devs);
  expect(first.groups).toEqual([anId("devs")]);
  expect(narrowing.user(ann, new Set([anId("devs"), anId("unknown")]))).toBe(first);
  expect(narrowing.user(ann, new Set([anId("ops")]))).not.toBe(first);
  expect(narrowing.user({ ...ann }, devs)).not.toBe(first);
});

test("own groups and lent ones of a device are told apart", () => {
  const narrowing = sharedNarrowing();
  const own = narrowing.peer(laptop, new Set([anId("devs")]));
  const lent = narrowing.peer(laptop, new Set([anId("lent")]));
  expect({ groups: own.groups, vouched: own.vouchedGroups }).toEqual({ groups: [anId("devs")], vouched: [] });
  expect({ groups: lent.groups, vouched: lent.vouchedGroups }).toEqual({
    groups: [],
    vouched: [anId("lent")],
  });
  expect(narrowing.peer(laptop, new Set([anId("devs")]))).toBe(own);
});

test("a browser is called one only where a rule asks, and is told apart from the same without", () => {
  const narrowing = sharedNarrowing();
  const browser: AccountPeer = { ...laptop, isBrowser: true };
  const plain = narrowing.peer(browser, new Set([anId("devs")]));
  const asked = narrowing.peer(browser, new Set([BROWSERS, anId("devs")]));
  expect(["isBrowser" in plain, asked.isBrowser]).toEqual([false, true]);
  expect("isBrowser" in narrowing.peer(laptop, new Set([BROWSERS]))).toBe(false);
});
