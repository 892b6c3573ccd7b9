/** Names in the filters of the audit log fit one person or machine, or the query is refused. */
import { beforeEach, expect, test } from "bun:test";
import { renamePeer } from "../../../../src/management/db/tables/peers.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const ids = async (query: string): Promise<string[]> => {
  const { status, body } = await api.call("GET", `/api/events/audit${query}`);
  expect(status).toBe(200);
  return body.map(({ id }: { id: string }) => id);
};

test("a name that fits several people, or several peers, is refused with the candidates", async () => {
  const { store } = api.management;
  const people = [
    await aUserOf(store, api.accountId, { name: "Ada", email: "ada@example.com" }),
    await aUserOf(store, api.accountId, { name: "Ada", email: "ada2@example.com" }),
  ];
  const refused = await api.call("GET", "/api/events/audit?user=Ada");
  expect(refused).toMatchObject({ status: 409, body: { error: "ERR_CONFLICT" } });
  for (const { id, email } of people) expect(refused.body.message).toContain(`${email} (${id})`);
  expect(refused.body.message).not.toContain("\n");
  expect(await ids("?user=ada@example.com")).toEqual([]);
  expect(await ids(`?user=${people[1]?.id}`)).toEqual([]);
  // A person who calls themselves by another's address is not that other.
  await aUserOf(store, api.accountId, { name: "owner@example.com", email: "eve@example.com" });
  expect(await ids("?user=owner@example.com")).toEqual(await ids(`?user=${api.ownerId}`));

  const peers = [await aPeerOf(store, api.accountId), await aPeerOf(store, api.accountId)];
  for (const [i, peer] of peers.entries()) {
    const names = { name: "laptop", dnsName: `laptop-${"ab".charAt(i)}` };
    await store.transaction((tx) => renamePeer(tx, peer, names));
  }
  const several = await api.call("GET", "/api/events/audit?machine=laptop&after_seq=0&wait_seconds=20");
  expect(several).toMatchObject({ status: 409, body: { error: "ERR_CONFLICT" } });
  for (const { id } of peers) expect(several.body.message).toContain(id);
  expect(await ids("?machine=laptop-a")).toEqual([]);
  expect(await ids(`?machine=${peers[1]?.id}`)).toEqual([]);
});
