import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { UpgradeLink } from "../../../src/agent/control-link/upgrade-link.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { AgentFlags, AgentMessage } from "../../../src/wire/agent-sync.ts";
import type { UpgradeOrder, UpgradeReport } from "../../../src/wire/upgrade-report.ts";
import { until } from "../../support/until.ts";

const order: UpgradeOrder = { orderId: "order000000000000001", version: "1.2.0" };
const next: UpgradeOrder = { orderId: "order000000000000002", version: "1.2.0" };

let isAllowed: boolean;
let cannotStart: boolean;
let isDamaged: boolean;
let started: UpgradeOrder[];
let record: UpgradeReport | undefined;
let sent: AgentMessage[];
let link: UpgradeLink;

beforeEach(() => {
  [isAllowed, cannotStart, isDamaged, started, record, sent] = [true, false, false, [], undefined, []];
  link = new UpgradeLink({
    log: silentLog,
    isAllowed: () => isAllowed,
    start: async (one) => {
      if (cannotStart) throw new Error("no memory");
      started.push(one);
    },
    read: async () => {
      if (isDamaged) throw new Error("damaged");
      return record;
    },
  });
  link.welcome(true);
  link.attach((message) => sent.push(message));
});
afterEach(() => link.detach());

const report = (state: UpgradeReport["state"], { orderId } = order): UpgradeReport => ({
  orderId,
  state,
  detail: "",
});
const told = (state: UpgradeReport["state"], { orderId } = order) =>
  expect.objectContaining({ type: "upgrade_state", orderId, state });

describe("an order", () => {
  test("is started once, however often it comes, and told of as it goes on", async () => {
    await link.take(order);
    await link.take(order);
    expect(started).toEqual([order]);
    for (const state of ["working", "restarting", "done"] as const) {
      record = report(state);
      await until(`it is told ${state}`, () => sent.some((one) => "state" in one && one.state === state));
    }
    expect(sent).toEqual([told("working"), told("restarting"), told("done")]);
  });

  test("is refused where root does not allow it", async () => {
    isAllowed = false;
    await link.take(order);
    expect(started).toEqual([]);
    expect(sent).toEqual([told("refused")]);
  });

  test("that was taken before this agent started is not started again", async () => {
    record = report("failed");
    await link.take(order);
    expect(started).toEqual([]);
    expect(sent.at(-1)).toEqual(told("failed"));
    await link.take(next);
    expect(started).toEqual([next]);
  });

  test("that cannot be started has failed", async () => {
    cannotStart = true;
    await link.take(order);
    expect(sent).toEqual([told("failed")]);
  });

  test("that could not be started has failed on the next link too, until another comes", async () => {
    cannotStart = true;
    link.detach();
    await link.take(order);
    link.attach((message) => sent.push(message));
    await until("it is told", () => sent.length > 0);
    await link.take(order);
    expect(sent).toEqual([told("failed"), told("failed")]);
    cannotStart = false;
    await link.take(next);
    expect(started).toEqual([next]);
  });

  test("is started although what became of the one before cannot be read", async () => {
    isDamaged = true;
    await link.take(order);
    await link.take(order);
    expect(started).toEqual([order]);
  });
});

describe("a new link", () => {
  test("is told what became of the last order", async () => {
    record = report("failed");
    link.detach();
    sent = [];
    link.attach((message) => sent.push(message));
    await until("it is told", () => sent.length > 0);
    expect(sent).toEqual([told("failed")]);
  });

  test("to an older management is told nothing of upgrades", async () => {
    const flags = { managedUpgrades: true, sshServer: true } as AgentFlags;
    expect(link.flagsFor(flags)).toHaveProperty("managedUpgrades", true);
    record = report("failed");
    link.detach();
    link.welcome(false);
    sent = [];
    link.attach((message) => sent.push(message));
    await link.take(next);
    expect(link.flagsFor(flags)).not.toHaveProperty("managedUpgrades");
    expect(sent).toEqual([]);
  });
});
