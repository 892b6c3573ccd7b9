import { expect, test } from "bun:test";
import { filterQuery } from "../../src/cli/event-filter.ts";

test("what is given becomes the query, and nothing else", () => {
  expect(String(filterQuery({}))).toBe("");
  const given = {
    user: "ada@example.com",
    machine: "web1",
    activity: "ssh.*",
    receipt: "r",
    since: undefined,
  };
  const { since: _, ...asked } = given;
  expect(Object.fromEntries(filterQuery(given))).toEqual(asked);
  const times = Object.fromEntries(filterQuery({ since: "2026-11-29", until: "2026-11-30T08:00:00+01:00" }));
  expect(times).toEqual({ since: "2026-11-29T00:00:00.000Z", until: "2026-11-30T07:00:00.000Z" });
});

test.each(["since", "until"])("a time that is none is refused: --%s", (flag) => {
  expect(() => filterQuery({ [flag]: "soon" })).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
});
