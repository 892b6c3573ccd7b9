import { expect, test } from "bun:test";
import { ruleSentence } from "../../../../src/dashboard/pages/policies/rule-sentence.ts";

type Rule = Parameters<typeof ruleSentence>[0];

const group = (name: string) => ({ id: name.toLowerCase(), name, peers_count: 1, resources_count: 0 });
const RULE = {
  id: "r1",
  name: "",
  description: "",
  enabled: true,
  action: "accept",
  bidirectional: false,
  protocol: "qufabric-ssh",
  sources: [group("Laptops")],
  destinations: [group("Web")],
  authorized_groups: { devs: ["deploy", "www"] },
} as unknown as Rule;
const sentenceOf = (change: object): string =>
  ruleSentence({ ...RULE, ...change } as Rule, (id) => ({ devs: "Developers", ops: "Operators" })[id] ?? id);

test.each<[change: object, sentence: string]>([
  [{}, "From Laptops, Developers may log in as deploy or www on Web."],
  [
    { authorized_groups: { devs: ["deploy"], ops: ["*"] } },
    "From Laptops, Developers may log in as deploy and Operators may log in as any local user on Web.",
  ],
  [{ authorized_groups: undefined }, "From Laptops, people may log in to Web as any local user."],
  [{ authorized_groups: {} }, "From Laptops, people may log in to Web as any local user."],
  [{ protocol: "netbird-ssh" }, "From Laptops, Developers may log in as deploy or www on Web."],
  [{ sources: [group("Developers")] }, "Developers may log in as deploy or www on Web."],
  [{ sources: [group("All")] }, "From anywhere, Developers may log in as deploy or www on Web."],
  [{ action: "drop" }, "From Laptops, Developers may not log in as deploy or www on Web."],
  [{ action: "drop", authorized_groups: {} }, "From Laptops, nobody may log in to Web."],
  [{ action: "drop", protocol: "all" }, "Laptops cannot reach Web by every protocol."],
  [{ protocol: "tcp", ports: ["80", "443"] }, "Laptops can reach Web by tcp, port 80 and 443."],
  [{ protocol: "tcp", ports: [] }, "Laptops can reach Web by tcp, every port."],
  [
    { ssh: { local_forward: ["db:5432"] } },
    "From Laptops, Developers may log in as deploy or www on Web, with forwarding to db:5432.",
  ],
  [
    { ssh: { require_approval: true }, approver_groups: ["ops"], approval_seconds: 1_800 },
    "From Laptops, Developers may log in as deploy or www on Web, " +
      "once approved by a member of Operators for at most 30m at a time.",
  ],
  [
    { valid_until: 1_798_761_600 },
    "From Laptops, Developers may log in as deploy or www on Web, until 2027-01-01T00:00Z.",
  ],
])("%j is a sentence", (change, sentence) => expect(sentenceOf(change)).toBe(sentence));
