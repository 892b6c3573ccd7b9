import { describe, expect, test } from "bun:test";
import { namesOf } from "../../../src/policy/code/names.ts";
import { anId, aUser } from "../../support/policy.ts";
import { aMachineEntry, aPolicyAccount } from "../../support/policy-account.ts";

const account = aPolicyAccount({
  groups: [
    { id: anId("buero"), name: "Büro".normalize("NFC"), isAll: false, settings: {} },
    { id: anId("web"), name: "web", isAll: false, settings: {} },
  ],
  users: [
    aUser("ada", []),
    aUser("eve", [], { status: "blocked" }),
    aUser("cy1", [], { email: "cy@example.com" }),
    aUser("cy2", [], { email: "cy@example.com" }),
    aUser("dan", [], { email: "dan@example.com" }),
    aUser("dan2", [], { email: "Dan@example.com" }),
    aUser("bot", [], { isService: true, name: "ci-bot", email: "" }),
  ],
  peers: [
    aMachineEntry("web1", []),
    { ...aMachineEntry("web2", []), shownName: "Web Two", dnsName: "web2.eu" },
  ],
});
const names = namesOf(account);

describe("a name finds", () => {
  const rows = [
    ["a group", names.group, "web", "web"],
    ["a group written in NFD", names.group, "Büro".normalize("NFD"), "buero"],
    ["an id", names.group, `id:${anId("web")}`, "web"],
    ["a person by e-mail", names.person, "ada@example.com", "ada"],
    ["a person by identity", names.person, "https://idp.example.com|ada", "ada"],
    ["a blocked person by identity", names.person, "https://idp.example.com|eve", "eve"],
    ["a service user by name", names.person, "ci-bot", "bot"],
    ["a machine by what people see", names.machine, "Web Two", "web2"],
    ["a machine by its DNS name", names.machine, "web2.eu", "web2"],
    ["a machine by its whole DNS name", names.machine, "web1.qf.internal", "web1"],
  ] as const;
  test.each(rows)("%s", (_, naming, name, word) => {
    expect(naming.find(name)).toEqual({ kind: "found", id: anId(word) });
  });
});

describe("a name that finds nothing is told those that come near", () => {
  const rows = [
    ["in other case", names.group, "Web", ["web"]],
    ["in other letters that look the same", names.group, "ｗｅｂ", ["web"]],
    ["a slip away", names.group, "wbe", ["web"]],
    ["nothing like it", names.group, "production", []],
    ["an id of nothing", names.group, "id:nothing", []],
    ["an id of another kind", names.machine, `id:${anId("web")}`, []],
    ["a blocked person's e-mail", names.person, "evelyn@example.com", []],
    ["a name of JavaScript's", names.group, "__proto__", []],
  ] as const;
  test.each(rows)("%s", (_, naming, name, candidates) => {
    expect(naming.find(name)).toEqual({ kind: "unknown", candidates: [...candidates] });
  });
});

test.each(["cy@example.com", "dan@example.com"])(
  "%s, which more than one person has, is refused with ids",
  (name) => {
    const found = names.person.find(name);
    expect(found.kind).toBe("ambiguous");
    expect(found.kind === "ambiguous" && found.candidates.every((one) => one.startsWith("id:"))).toBe(true);
  },
);

test("a blocked person is not found by an address, which another may have by now", () => {
  expect(names.person.find("eve@example.com").kind).toBe("unknown");
});

test("what a name says is found by it, and what has none of its own is named by id", () => {
  expect(names.person.nameOf(anId("ada"))).toBe("ada@example.com");
  expect(names.person.nameOf(anId("cy1"))).toBe("https://idp.example.com|cy1");
  expect(names.person.nameOf(anId("eve"))).toBe("https://idp.example.com|eve");
  expect(names.machine.nameOf(anId("web1"))).toBe("web1");
  expect(names.group.nameOf("gone")).toBe("id:gone");
});
