import { expect, test } from "bun:test";
import { turnedDecisions } from "../../../src/management/policy-files/past-decisions.ts";
import type { Action } from "../../../src/wire/decision.ts";
import { anId } from "../../support/policy.ts";
import { withFile } from "../../support/policy-account.ts";

/** Monday, 30 November 2026, in UTC. */
const MONDAY = Date.UTC(2026, 10, 30) / 1000;
const HOUR = 3_600;

const file = (more = "", localUsers = "[deploy]") =>
  withFile(`
policies:
  - name: deploy
    rules:
      - sources: [managed-laptops]
        destinations: [web]
        authorized_groups: {developers: ${localUsers}}
        ${more}
`);

function decided(atSeconds: number, change: Record<string, unknown> = {}) {
  const request = {
    ...{ userId: anId("ada"), devicePeerId: anId("ada-laptop"), targetPeerId: anId("web1") },
    ...{ localUser: "deploy", action: { kind: "connect" } as Action, atSeconds },
    ...change,
  };
  return { data: { request }, atMs: atSeconds * 1000 };
}

test("what was allowed and would be refused is told once, with how often, when last, and why", () => {
  const events = [decided(MONDAY + 60), decided(MONDAY + 30), decided(MONDAY)];
  expect(turnedDecisions(events, file(), file("", "[web]"))).toEqual([
    {
      ...{ userId: anId("ada"), devicePeerId: anId("ada-laptop"), machinePeerId: anId("web1") },
      ...{ localUser: "deploy", action: { kind: "connect" }, before: "allow", after: "deny" },
      ...{ reason: "local_user_unmapped", count: 3, lastAtMs: (MONDAY + 60) * 1000 },
    },
  ]);
});

test("what was refused and would be allowed is told with the reason of the refusal", () => {
  const [turned] = turnedDecisions([decided(MONDAY)], file("", "[web]"), file());
  expect(turned).toMatchObject({ before: "deny", after: "allow", reason: "local_user_unmapped" });
});

test.each([
  ["the same rules", decided(MONDAY), ""],
  ["another local user", decided(MONDAY, { localUser: "web" }), "ssh: {pty: false}"],
  ["another action", decided(MONDAY, { action: { kind: "exec", command: "id" } }), "ssh: {sftp: off}"],
  ["a machine that is gone", decided(MONDAY, { targetPeerId: anId("gone") }), "enabled: false"],
  ["no person", decided(MONDAY, { userId: null }), "enabled: false"],
  ["an event of another form", { data: { request: { userId: 1 } }, atMs: 0 }, "enabled: false"],
])("nothing is told of %s", (_, event, more) => {
  expect(turnedDecisions([event], file(), file(more))).toEqual([]);
});

test("each decision is asked again at its own time, so that a schedule turns those outside of it", () => {
  const hours = "schedule: {windows: [{days: [mon], from: '09:00', to: '17:00'}]}";
  const [day, night, sunday] = [MONDAY + 10 * HOUR, MONDAY + 2 * HOUR, MONDAY - HOUR];
  const turned = turnedDecisions(
    [day, night, sunday].map((at) => decided(at)),
    file(),
    file(hours),
  );
  expect(turned).toMatchObject([
    { after: "deny", reason: "outside_schedule", count: 2, lastAtMs: night * 1000 },
  ]);
});

test("an end turns only what came after it", () => {
  const ended = "valid_until: 2026-11-30T00:00:00Z";
  const turned = turnedDecisions([decided(MONDAY + 1), decided(MONDAY - 1)], file(), file(ended));
  expect(turned).toMatchObject([{ count: 1, lastAtMs: (MONDAY + 1) * 1000 }]);
});

test("what a group begins to require turns decisions at its machines", () => {
  const bound = withFile("groups: {web: {require: {approval: true}}}", file());
  const other = withFile("groups: {developers: {require: {approval: true}}}", file());
  expect(turnedDecisions([decided(MONDAY)], file(), bound)).toMatchObject([
    { before: "allow", after: "deny", reason: "approval_required" },
  ]);
  expect(turnedDecisions([decided(MONDAY)], bound, file())).toMatchObject([{ after: "allow" }]);
  expect(turnedDecisions([decided(MONDAY)], file(), other)).toEqual([]);
});
