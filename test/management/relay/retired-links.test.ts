import { expect, test } from "bun:test";
import type { AgentLink } from "../../../src/management/relay/relay-hub.ts";
import { RetiredLinks } from "../../../src/management/relay/retired-links.ts";

const aLink = (peerId: string) => ({ peerId }) as AgentLink;

test("a machine's oldest link makes room after eight, and those of others stay", () => {
  const retired = new RetiredLinks();
  const other = aLink("web2");
  retired.add(other);
  const links = Array.from({ length: 9 }, () => aLink("web1"));
  expect(links.map((link) => retired.add(link)).findIndex((room) => room !== undefined)).toBe(8);
  expect(retired.of("web1")).toHaveLength(9);
  for (const link of links) retired.delete(link);
  expect(retired.all()).toEqual([other]);
});
