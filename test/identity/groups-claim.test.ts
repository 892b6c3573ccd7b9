/** Group names in every shape that a provider is known to write them in. */
import { expect, test } from "bun:test";
import { groupsAmong, readGroupsClaim } from "../../src/identity/groups-claim.ts";

const OURS = new Set(["devs", "ops", "a,b", "/rooted", "parent/child", "Domain Admins"]);

/** Names of ours in the claim, or what kind of claim it is. */
function read(payload: Record<string, unknown>, path = "groups"): string[] | string {
  const claim = readGroupsClaim(payload, path);
  return claim.kind === "named" ? [...groupsAmong(claim, (name) => OURS.has(name))] : claim.kind;
}

test.each<[shape: string, payload: Record<string, unknown>, path: string, want: string[] | string]>([
  ["a list", { groups: ["devs", "ops", "nowhere"] }, "groups", ["devs", "ops"]],
  ["one text", { groups: "devs" }, "groups", ["devs"]],
  ["a text with commas", { groups: "devs, ops,nowhere" }, "groups", ["devs", "ops"]],
  ["keys of an object", { roles: { devs: { "1": "org.example" } } }, "roles", ["devs"]],
  ["a key without anything beside it", { roles: { devs: {}, ops: false } }, "roles", []],
  ["a path", { realm_access: { roles: ["devs"] } }, "realm_access.roles", ["devs"]],
  [
    "a path whose middle has dots",
    { resource_access: { "my.client": { roles: ["ops"] } } },
    "resource_access.my.client.roles",
    ["ops"],
  ],
  ["a name that is a URL", { "https://example.com/roles": ["devs"] }, "https://example.com/roles", ["devs"]],
  [
    "a name with colons",
    { "urn:zitadel:iam:org:project:roles": { ops: { "1": "x" } } },
    "urn:zitadel:iam:org:project:roles",
    ["ops"],
  ],
  ["a leading slash", { groups: ["/devs", "/parent/child"] }, "groups", ["devs", "parent/child"]],
  ["a leading slash that is part of our name", { groups: ["/rooted"] }, "groups", ["/rooted"]],
  ["a name with a comma in a list", { groups: ["a,b"] }, "groups", ["a,b"]],
  ["a name with a comma as the only text", { groups: "a,b" }, "groups", ["a,b"]],
  ["an entry of a list, which is never taken apart", { groups: ["devs,ops"] }, "groups", []],
  ["a directory name, of which no part is a group", { groups: "CN=devs,OU=ops" }, "groups", []],
  ["a name with a space", { groups: ["Domain Admins"] }, "groups", ["Domain Admins"]],
  ["the same name twice", { groups: ["devs", "/devs", "devs"] }, "groups", ["devs"]],
  ["another case", { groups: ["Devs"] }, "groups", []],
  ["an empty list", { groups: [] }, "groups", []],
  ["an empty text", { groups: "" }, "groups", []],
  ["no claim", { roles: ["devs"] }, "groups", "absent"],
  ["null", { groups: null }, "groups", "absent"],
  ["a path that ends early", { realm_access: {} }, "realm_access.roles", "absent"],
  ["a path through a list", { realm_access: [{ roles: ["devs"] }] }, "realm_access.roles", "absent"],
  ["a name of Object's own", {}, "constructor.name", "absent"],
  ["a number", { groups: 7 }, "groups", "unreadable"],
  ["true", { groups: true }, "groups", "unreadable"],
  ["names elsewhere", { _claim_names: { groups: "src1" } }, "groups", "elsewhere"],
  ["names elsewhere, the short form", { hasgroups: true }, "groups", "elsewhere"],
  ["names elsewhere, as a text", { hasgroups: "true" }, "groups", "elsewhere"],
  [
    "the outermost name elsewhere",
    { _claim_names: { realm_access: "s" } },
    "realm_access.roles",
    "elsewhere",
  ],
  ["another claim elsewhere", { _claim_names: { roles: "src1" } }, "groups", "absent"],
  ["names here and elsewhere", { groups: ["devs"], _claim_names: { groups: "s" } }, "groups", ["devs"]],
])("readGroupsClaim reads %s", (_shape, payload, path, want) => {
  expect(read(payload, path)).toEqual(want);
});

test("readGroupsClaim cuts nothing off and counts what is no name", () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `group-${index}`);
  const claim = readGroupsClaim({ groups: [...names, 7, { name: "devs" }, null] }, "groups");
  expect(claim).toEqual({ kind: "named", entries: names, isText: false, unread: 3 });
});
