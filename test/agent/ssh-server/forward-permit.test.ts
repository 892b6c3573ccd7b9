import { beforeEach, describe, expect, test } from "bun:test";
import { ForwardHelperError } from "../../../src/agent/os/forward-helper-error.ts";
import {
  endForward,
  FAILURE_TEXT,
  ForwardPermits,
  narrowedLine,
  Refused,
} from "../../../src/agent/ssh-server/forward-permit.ts";
import { ForwardFailure } from "../../../src/wire/audit-event.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { ownName } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";

const DB = { kind: "local_forward", host: "db", port: 5432 } as const;

let world: KernelContext;
let permits: ForwardPermits;
beforeEach(() => {
  const localUser = ownName();
  const localUid = process.getuid?.() ?? -1;
  world = new KernelContext({ localUser, localUid }).open();
  const auth = { ...world.subject, localUser, localUid, serial: null };
  permits = new ForwardPermits({ auth, clock: world.clock, permits: world.permits });
});

async function refusal(asked: Promise<unknown>): Promise<string> {
  const cause = await asked.catch((error: unknown) => error);
  if (!(cause instanceof Refused) || cause.answer.kind !== "deny") throw cause;
  expect(cause.sentence).toBe(cause.answer.line);
  return cause.answer.reason;
}

describe("a permit for a forward", () => {
  test("has the account that is to open it, and numbers of its own", async () => {
    const first = await permits.forAccount(DB);
    const second = await permits.forAccepted({ kind: "remote_forward", host: "localhost", port: 80 });
    expect(first.facts.account.name).toBe(ownName());
    expect([first.start, second.start]).toEqual([
      { type: "forward.open", kind: "local", destination: "db:5432", forwardId: 0 },
      { type: "forward.open", kind: "remote", destination: "localhost:80", forwardId: 1 },
    ]);
  });

  test.each(["169.254.169.254", "[::ffff:a9fe:a9fe]", "[2002:a9fe:a9fe::1]"])(
    "is refused for %s, which nothing names as such, before it is stored",
    async (host) => {
      world.allow({ local_forward: ["*:*"] });
      expect(await refusal(permits.forAccount({ ...DB, host, port: 80 }))).toBe(
        "forward_destination_not_allowed",
      );
      expect(world.story()).toEqual(["decision deny"]);
    },
  );

  test("is refused for an account that is another by now", async () => {
    const auth = { ...world.subject, localUid: 4_242, serial: null };
    const others = new ForwardPermits({ auth, clock: world.clock, permits: world.permits });
    expect(await refusal(others.forAccount(DB))).toBe("account_unknown");
  });

  test("is refused by policy, first", async () => {
    world.allow({ local_forward: [] });
    expect(await refusal(permits.forAccount(DB))).toBe("local_forward_disabled");
  });

  test("is for nobody once the connection is over", async () => {
    world.leave();
    const cause = await permits.forAccepted(DB).catch((error: unknown) => error);
    expect(cause).toBeInstanceOf(Refused);
    expect(cause instanceof Refused && cause.sentence).toBe("");
  });
});

test.each([
  ["nothing", undefined, null],
  ["what the helper says", new ForwardHelperError("timeout"), "timeout"],
  ["a fault of ours", new Error("x"), "failed"],
  [
    "a denial that came later",
    new Refused({ kind: "deny", reason: "forward_destination_not_allowed", receipt: null, line: "" }),
    "forward_destination_not_allowed",
  ],
])("a forward that ended by %s says so", async (_name, cause, reason) => {
  await endForward(await permits.forAccount(DB), cause);
  expect(world.events.at(-1)).toMatchObject({ type: "forward.close", reason, bytesIn: 0, bytesOut: 0 });
  expect(unpaired(world.events)).toEqual([]);
});

describe("what a listener may bind", () => {
  const all = { kind: "remote_forward", host: "0.0.0.0", port: 8080 } as const;
  test.each([
    ["all addresses where the rule names them", ["0.0.0.0:8080"], "0.0.0.0"],
    ["the loopback where the rule names no more", ["localhost:8080"], "localhost"],
    ["what was asked, to be refused, where neither is granted", ["localhost:1"], "0.0.0.0"],
  ])("is %s", (_name, remote_forward, host) => {
    world.allow({ remote_forward });
    expect(permits.bindOf(all)).toEqual({ ...all, host });
  });

  test("is said where it is less than what was asked", () => {
    const line = narrowedLine({ ...all, host: "" }, { ...all, host: "localhost" });
    expect(line).toBe("-R *:8080: listens on localhost:8080 only (the policy names no more)");
  });
});

test("every failure has its words", () => {
  expect(Object.keys(FAILURE_TEXT).sort()).toEqual([...ForwardFailure.options].sort());
});
