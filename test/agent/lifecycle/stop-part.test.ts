import { expect, test } from "bun:test";
import { stopPart } from "../../../src/agent/lifecycle/stop-part.ts";
import { type Log, silentLog } from "../../../src/base/log.ts";

function aLog() {
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (_, fields, cause) => void errors.push({ fields, cause }) };
  return { log, errors };
}

test("a part that stops well is waited for, and nothing is logged", async () => {
  const { log, errors } = aLog();
  let isStopped = false;
  await stopPart(log, "listeners", async () => {
    await Promise.resolve();
    isStopped = true;
  });
  expect({ isStopped, errors }).toEqual({ isStopped: true, errors: [] });
});

test.each([
  [
    "throws",
    () => {
      throw new Error("why");
    },
  ],
  ["rejects", () => Promise.reject(new Error("why"))],
])("a part that %s is logged by its name, and keeps no other from stopping", async (_, step) => {
  const { log, errors } = aLog();
  await stopPart(log, "spool", step);
  expect(errors).toMatchObject([{ fields: { part: "spool" }, cause: { message: "why" } }]);
});
