import { beforeEach, describe, expect, test } from "bun:test";
import { DisplayName } from "../../../../src/wire/display-name.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { HOSTILE_NAMES } from "../../../support/hostile-names.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
let id: string;
beforeEach(async () => {
  api = await TestApi.open();
  id = (await aPeerOf(api.management.store, api.accountId)).id;
});

const FIELDS = { ssh_enabled: true, login_expiration_enabled: false, inactivity_expiration_enabled: false };
const rename = (name: string, peerId = id, more: object = {}) =>
  api.call("PUT", `/api/peers/${peerId}`, { name, ...FIELDS, ...more });

describe("a peer's name is shown, and its host name is derived from it", () => {
  test.each([
    ["My Laptop", "my-laptop"],
    ["Ada's (old)", "ada-s-old"],
    ["host.example.com", "host"],
    ["db_1", "db-1"],
    ["Renamed-One", "renamed-one"],
    ["Büro 3", "buro-3"],
  ])("%s is %s", async (name, label) => {
    const { status, body } = await rename(name);
    expect([status, body.name, body.dns_label]).toEqual([200, name, `${label}.qf.internal`]);
    expect((await api.call("GET", `/api/peers/${id}`)).body).toMatchObject({ name, name_confirmed: true });
    const map = await api.management.maps.mapOf(api.accountId, id);
    expect(map?.self.name).toBe(label);
  });

  test("a name of which nothing can be a host name leaves that, and confirms it not", async () => {
    const { body } = await rename("日本 🚀");
    expect(body).toMatchObject({ name: "日本 🚀", dns_label: "web.qf.internal", name_confirmed: false });
    expect((await rename("日本 🚀", id, { ssh_enabled: false })).body).toMatchObject({
      ...{ name: "日本 🚀", dns_label: "web.qf.internal" },
      ssh_enabled: false,
    });
  });

  test("the name that was read is written back without any change", async () => {
    await rename("My Laptop");
    const read = (await api.call("GET", `/api/peers/${id}`)).body;
    expect((await api.call("PUT", `/api/peers/${id}`, read)).body).toEqual(read);
    expect(await api.activities()).toEqual(["peer.rename", "peer.update", "peer.update"]);
  });

  test("a name that is a host name is one again", async () => {
    await rename("Web Server");
    expect((await rename("web")).body).toMatchObject({ name: "web", dns_label: "web.qf.internal" });
  });

  test("two machines are never one host name, however they are called", async () => {
    const other = await aPeerOf(api.management.store, api.accountId, { name: "db" });
    const refused = await rename("DB!", id);
    expect([refused.status, refused.body.message]).toEqual([409, "another peer is called db"]);
    expect((await rename("Web", other.id)).status).toBe(409);
  });

  test("a person's device keeps its owner in its host name", async () => {
    const { store } = api.management;
    const owner = await aUserOf(store, api.accountId, { email: "ada@example.com" });
    const device = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner });
    expect((await rename("Ada's Book", device.id)).body.dns_label).toBe("ada-s-book.ada.device.qf.internal");
  });

  test("groups and lists show it", async () => {
    await rename("My Laptop");
    const all = (await api.call("GET", "/api/groups?name=All")).body[0];
    expect(all.peers).toEqual([{ id, name: "My Laptop" }]);
    expect((await api.call("GET", `/api/groups/${all.id}`)).body.peers).toEqual([{ id, name: "My Laptop" }]);
  });
});

test("nothing of a name leaves the API: machines are told the host name only", async () => {
  const names = HOSTILE_NAMES.filter((name) => DisplayName.safeParse(name).success);
  expect(names.length).toBeGreaterThan(15);
  const target = await aPeerOf(api.management.store, api.accountId, { name: "target" });
  const all = await api.groupAll();
  const rule = { name: "r", enabled: true, action: "accept", bidirectional: true, protocol: "all" };
  const rules = [{ ...rule, sources: [all], destinations: [all] }];
  await api.call("POST", "/api/policies", { name: "p", enabled: true, rules });
  for (const name of names) {
    const shown = DisplayName.parse(name);
    const { status, body } = await rename(name);
    expect([name, status, body.name]).toEqual([name, 200, shown]);
    expect(body.dns_label).toMatch(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.qf\.internal$/);
    const map = await api.management.maps.mapOf(api.accountId, target.id);
    expect(map?.peers[id]?.name).toMatch(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/);
    if (shown.length > 2) expect(JSON.stringify(map)).not.toContain(JSON.stringify(shown).slice(1, -1));
  }
});

describe("lists of peers are filtered by parts, in any case", () => {
  const found = async (query: string): Promise<string[]> =>
    (await api.call("GET", `/api/peers?${query}`)).body.map((peer: { name: string }) => peer.name).sort();

  test.each([
    ["name=we", ["My Web", "web2"]],
    ["name=WEB2", ["web2"]],
    ["name=y%20w", ["My Web"]],
    ["name=none", []],
    ["ip=100.", ["My Web", "web2"]],
    ["ip=not-one", []],
    ["name=web&ip=100.", ["My Web", "web2"]],
    ["name=", ["My Web", "web2"]],
  ])("%s", async (query, names) => {
    await rename("My Web");
    await aPeerOf(api.management.store, api.accountId, { name: "web2" });
    expect(await found(query)).toEqual(names);
  });

  test("by the host name as well as by the name", async () => {
    await rename("Büro");
    expect(await found("name=buro")).toEqual(["Büro"]);
  });
});
