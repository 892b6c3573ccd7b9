/** Nobody who has proven nothing can fill the database, or its one writer's time, with sign-ins begun. */
import { expect, test } from "bun:test";
import { createVisits } from "../../../src/management/idp/visits.ts";
import { codeThrownBy } from "../../support/failure.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { startTestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const at = (path: string, method = "GET") => ({ url: `https://qf.example.com${path}`, method });

/** How many of `count` requests were taken. */
function taken(visits: ReturnType<typeof createVisits>, path: string, count: number, source = "192.0.2.7") {
  let number = 0;
  for (let i = 0; i < count; i++) {
    try {
      visits.enter(at(path), source);
      number += 1;
    } catch {}
  }
  return number;
}

test.each(["/idp/auth?client_id=qufabric-cli", "/idp/auth/", "/idp/AUTH", "/idp/auth/some-uid"])(
  "a source begins only so many sign-ins in a minute at %s, and others go on",
  (path) => {
    const clock = new FakeClock();
    const visits = createVisits(clock);
    expect(taken(visits, path, 2_000)).toBe(1_200);
    expect(codeThrownBy(() => visits.enter(at(path), "192.0.2.7"))).toBe("ERR_TOO_MANY");
    expect(taken(visits, path, 10, "192.0.2.8")).toBe(10);
    expect(taken(visits, "/idp/jwks", 10)).toBe(10);
    clock.advanceMs(60_000);
    expect(taken(visits, path, 10)).toBe(10);
  },
);

test("addresses of one IPv6 network are one source", () => {
  const visits = createVisits(new FakeClock());
  expect(taken(visits, "/idp/auth", 1_200, "2001:db8::1")).toBe(1_200);
  expect(taken(visits, "/idp/auth", 1, "2001:db8::2")).toBe(0);
});

test("addresses of one /48 share a bound, however many /64 it has", () => {
  const visits = createVisits(new FakeClock());
  let number = 0;
  for (let i = 0; i < 20; i++)
    number += taken(visits, "/idp/auth", 400, `2001:db8:7:${(i * 256).toString(16)}::1`);
  expect(number).toBe(4_800);
  expect(taken(visits, "/idp/auth", 10, "2001:db8:8::1")).toBe(10);
});

test("anything else has its bound too", () => {
  expect(taken(createVisits(new FakeClock()), "/idp/jwks", 7_000)).toBe(6_000);
});

test.each([
  ["of any length", at(`/idp/auth?nonce=${"n".repeat(9_000)}`), "too large"],
  ["by a form", at("/idp/auth", "POST"), "begins with GET"],
])("a sign-in is not begun %s: what is asked for is kept", (_name, request, says) => {
  expect(() => createVisits(new FakeClock()).enter(request, "192.0.2.7")).toThrow(says);
});

test("a running server holds its visitors to that", async () => {
  const management = await startTestManagement(tempFolder());
  try {
    const ask = async () => (await fetch(`${management.url}/idp/auth`, { redirect: "manual" })).status;
    const statuses: number[] = [];
    for (let i = 0; i < 1_210; i += 10) {
      statuses.push(...(await Promise.all(Array.from({ length: 10 }, ask))));
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    expect((await fetch(`${management.url}/idp/jwks`)).status).toBe(200);
  } finally {
    await management.close();
  }
});
