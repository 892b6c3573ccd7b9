import { beforeEach, expect, test } from "bun:test";
import { AgentEventBody } from "../../../src/wire/audit-event.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { anId } from "../../support/policy.ts";
import { until } from "../../support/until.ts";

let world: KernelContext;
beforeEach(() => {
  world = new KernelContext();
});

const end = { type: "session.end", sessionId: 0, exitStatus: 0, signal: null, durationMs: 1 } as const;

test("a decision says who asked for what, from where, and with which receipt", () => {
  const allowed = world.permits.authorize({ kind: "shell" });
  const event = world.permits.evidence.decision(allowed, anId("receipt"));
  expect(AgentEventBody.parse(event)).toMatchObject({
    ...{ connectionId: world.id, receipt: anId("receipt"), binding: "idp", sourceAddress: "203.0.113.7" },
    ...{ request: { action: { kind: "shell" } }, decision: { outcome: "allow" } },
  });
});

test("events of one call are handed over in one turn, in their order, so that they share a wait for the disk", async () => {
  world.storing = "when released";
  const { evidence } = world.permits;
  const stored = evidence.store(evidence.decision(world.permits.authorize({ kind: "shell" }), null), end);
  await Promise.resolve();
  expect(world.held).toBe(2);
  world.release();
  expect(await stored).toBeNull();
  expect(world.story()).toEqual(["decision allow", "session.end"]);
});

test.each([
  ["ERR_UNAVAILABLE", "audit_unavailable", 1],
  ["ERR_TOO_MANY", "audit_share_full", 0],
] as const)(
  "what cannot be stored for %s is said by its reason, and is an error of the machine or not",
  async (storing, reason, errors) => {
    world.storing = storing;
    expect(await world.permits.evidence.store(end)).toBe(reason);
    const logged = world.lines.filter(({ level }) => level === "error");
    expect(logged).toHaveLength(errors);
    expect(
      logged.every(({ fields }) => fields.connectionId === world.id && fields.type === "session.end"),
    ).toBe(true);
  },
);

test("an end that cannot be stored is tried again until it is, and only then passes for stored", async () => {
  const { evidence } = world.permits;
  let isStored = false;
  world.storing = "ERR_UNAVAILABLE";
  await evidence.storeWithRetries(end, 1, () => {
    isStored = true;
  });
  expect({ isStored, story: world.story() }).toEqual({ isStored: false, story: [] });
  world.storing = "at once";
  await until("the end is stored", () => isStored);
  expect(world.story()).toEqual(["session.end"]);
});
