import { expect, test } from "bun:test";
import { theOne } from "../../src/cli/the-one.ts";

const peer = (id: string, name: string, dns_label: string) => ({ id, name, dns_label });
const keysOf = ({ id, name, dns_label }: ReturnType<typeof peer>) => [id, dns_label, name];

test("a name that is one's own counts before one that is only shown; of equals the candidates are said", () => {
  const all = [peer("p1", "web1", "web1"), peer("p2", "web1", "web1-2"), peer("p3", "web1", "web1-3")];
  expect(theOne("peer", "web1", all, keysOf).id).toBe("p1");
  expect(theOne("peer", "p2", all, keysOf).id).toBe("p2");
  const equals = all.slice(1);
  const ask = (show?: (one: ReturnType<typeof peer>) => string) => {
    try {
      return theOne("peer", "web1", equals, keysOf, show).id;
    } catch (error) {
      return error;
    }
  };
  expect(ask()).toMatchObject({ code: "ERR_CONFLICT" });
  const { hint } = ask(({ id }) => `${id} (offline)`) as { hint: string };
  expect(["p2 (offline)", "p3 (offline)"].every((one) => hint.includes(one))).toBe(true);
});

test.each([
  [undefined, "qf group list"],
  ["qf access groups", "qf access groups"],
])("of a name that nothing has, the hint with lister %p names %s", (lister, named) => {
  const look = () => theOne("group", "on-call", [{ id: "g1" }], ({ id }) => [id], undefined, lister);
  expect(look).toThrow(expect.objectContaining({ code: "ERR_NOT_FOUND", hint: `${named} shows all` }));
});
