import { beforeEach, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, ORIGIN } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

/** Every entry, page by page as `Link` leads, and what each page said of the whole. */
async function follow(first: string): Promise<{ ids: string[]; totals: Set<string | null>; pages: number }> {
  const ids: string[] = [];
  const totals = new Set<string | null>();
  let path: string | undefined = first;
  let pages = 0;
  while (path !== undefined && pages < 50) {
    const { status, body, headers } = await api.call("GET", path);
    expect([path, status]).toEqual([path, 200]);
    ids.push(...body.map((entry: { id?: string; name: string }) => entry.id ?? entry.name));
    totals.add(headers.get("x-total-count"));
    pages += 1;
    const next: string | undefined = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
    expect(next ?? ORIGIN).toStartWith(ORIGIN);
    path = next?.slice(ORIGIN.length);
  }
  return { ids, totals, pages };
}

/** Five of each kind of thing. */
async function furnish(): Promise<void> {
  const group = await api.aGroup("g0");
  for (let i = 1; i <= 5; i++) {
    await api.aGroup(`g${i}`);
    const peer = await aPeerOf(api.management.store, api.accountId, { name: `m${i}` });
    await api.call("DELETE", `/api/peers/${peer.id}`);
    await aPeerOf(api.management.store, api.accountId, { name: `web${i}` });
    const make = (path: string, body: object) => api.call("POST", path, body);
    await make("/api/users", { name: `bot ${i}`, role: "user", auto_groups: [], is_service_user: true });
    await make(`/api/users/${api.ownerId}/tokens`, { name: `t${i}`, expires_in: 1 });
    await make("/api/setup-keys", { name: `k${i}`, type: "one-off", expires_in: 0, usage_limit: 1 });
    const checks = { nb_version_check: { min_version: "0.1" } };
    await make("/api/posture-checks", { name: `c${i}`, description: "", checks });
    const rule = { name: "", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" };
    const rules = [{ ...rule, sources: [group], destinations: [group] }];
    await make("/api/policies", { name: `p${i}`, enabled: true, rules });
  }
}

test("every list is whole without limit, and in pages with it: all of it, each entry once", async () => {
  await furnish();
  const lists = [
    "/api/accounts",
    "/api/users",
    `/api/users/${api.ownerId}/tokens`,
    "/api/peers",
    "/api/reserved-names",
    "/api/setup-keys",
    "/api/groups",
    "/api/policies",
    "/api/posture-checks",
    "/api/events/audit",
  ];
  for (const path of lists) {
    const { body, headers } = await api.call("GET", path);
    const whole = body.map((entry: { id?: string; name: string }) => entry.id ?? entry.name);
    expect([path, headers.get("x-total-count"), headers.get("link")]).toEqual([
      path,
      String(whole.length),
      null,
    ]);
    const paged = await follow(`${path}?limit=2`);
    expect([path, [...paged.ids].sort()]).toEqual([path, [...whole].sort()]);
    expect([...paged.totals]).toEqual([String(whole.length)]);
    expect(paged.pages).toBe(Math.ceil(whole.length / 2));
  }
});

test("a page keeps the filter, and the total is of what passes it", async () => {
  for (let i = 0; i < 5; i++) await aPeerOf(api.management.store, api.accountId, { name: `web${i}` });
  await aPeerOf(api.management.store, api.accountId, { name: "db" });
  const { ids, totals } = await follow("/api/peers?name=WEB&limit=2");
  expect([ids.length, [...totals]]).toEqual([5, ["5"]]);
});

test("what comes and goes between two pages skips nothing that stays", async () => {
  const stays = new Set<string>();
  for (let i = 0; i < 6; i++) stays.add(await api.aGroup(`g${i}`));
  const first = await api.call("GET", "/api/groups?limit=3");
  const seen = first.body.map((group: { id: string }) => group.id);
  const [gone] = seen.filter((id: string) => stays.has(id));
  await api.call("DELETE", `/api/groups/${gone}`);
  await api.aGroup("new");
  const cursor = seen.at(-1);
  const { ids } = await follow(`/api/groups?limit=3&cursor=${cursor}`);
  const all = [...seen, ...ids];
  for (const id of stays) expect(all.filter((one) => one === id)).toHaveLength(1);
});

test("the audit log is followed upwards as well, and says where it goes on", async () => {
  for (let i = 0; i < 5; i++) await api.aGroup(`g${i}`);
  const { ids, totals } = await follow("/api/events/audit?after_seq=0&limit=2");
  const whole = (await api.call("GET", "/api/events/audit")).body.map((event: { id: string }) => event.id);
  expect(ids).toEqual([...whole].reverse());
  expect([...totals]).toEqual([String(whole.length)]);
});

test.each(["?limit=0", "?limit=1001", "?limit=x", `?cursor=${"x".repeat(65)}`])(
  "%s is refused",
  async (query) => {
    expect((await api.call("GET", `/api/groups${query}`)).status).toBe(422);
  },
);
