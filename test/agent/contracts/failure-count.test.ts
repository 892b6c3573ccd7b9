import { afterEach, expect, test } from "bun:test";
import { createFailureCount, type FailureCount } from "../../../src/agent/contracts/failure-count.ts";
import { QfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { AgentEventBody } from "../../../src/wire/audit-event.ts";
import { anId } from "../../support/policy.ts";

const open: FailureCount[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Counts into a list; `isFull`: nothing can be recorded. */
function aCount(isFull: () => boolean = () => false) {
  const recorded: string[] = [];
  const audit = {
    async record(body: AgentEventBody): Promise<void> {
      if (isFull()) throw new QfError("ERR_UNAVAILABLE", "full");
      if (body.type !== "auth.failed") throw new Error("another event");
      recorded.push(`${body.sourceAddress} ${body.devicePeerId ?? "-"} ${body.reason} ${body.count}`);
    },
  };
  const failures = createFailureCount({ audit, log: silentLog, windowMs: 3_600_000 });
  open.push(failures);
  return { failures, recorded };
}

test("failures of one source for one reason are one event, with their number", async () => {
  const { failures, recorded } = aCount();
  for (let i = 0; i < 1_000; i++) failures.add("192.0.2.1", null, "device_unknown");
  failures.add("192.0.2.1", null, "clock_skew");
  failures.add("192.0.2.1", anId("laptop"), "device_unknown");
  failures.add("192.0.2.2", null, "device_unknown");
  await failures.flush();
  expect(recorded).toEqual([
    "192.0.2.1 - device_unknown 1000",
    "192.0.2.1 - clock_skew 1",
    `192.0.2.1 ${anId("laptop")} device_unknown 1`,
    "192.0.2.2 - device_unknown 1",
  ]);
});

test("what was recorded is not recorded again", async () => {
  const { failures, recorded } = aCount();
  failures.add("192.0.2.1", null, "device_unknown");
  await failures.flush();
  await failures.flush();
  failures.add("192.0.2.1", null, "device_unknown");
  await failures.flush();
  expect(recorded).toEqual(["192.0.2.1 - device_unknown 1", "192.0.2.1 - device_unknown 1"]);
});

test("sources beyond those that are told apart are counted together, and none is lost", async () => {
  const { failures, recorded } = aCount();
  for (let i = 0; i < 1_000; i++) failures.add(`10.0.${i >> 8}.${i & 255}`, null, "device_unknown");
  await failures.flush();
  expect(recorded).toHaveLength(257);
  expect(recorded.at(-1)).toBe("several - device_unknown 744");
});

test("what cannot be recorded ends nothing", async () => {
  let isFull = true;
  const { failures, recorded } = aCount(() => isFull);
  failures.add("192.0.2.1", null, "device_unknown");
  await failures.flush();
  isFull = false;
  failures.add("192.0.2.2", null, "device_unknown");
  await failures.flush();
  expect(recorded).toEqual(["192.0.2.2 - device_unknown 1"]);
});

test("what is counted when it closes is recorded", async () => {
  const { failures, recorded } = aCount();
  failures.add("192.0.2.1", null, "device_unknown");
  await failures.close();
  expect(recorded).toEqual(["192.0.2.1 - device_unknown 1"]);
});
