import { expect, test } from "bun:test";
import { createRefusals } from "../../../src/agent/listeners/refusals.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("what was turned away is summed by its way, and forgotten after ten minutes", () => {
  const clock = new FakeClock();
  const refusals = createRefusals(clock);
  expect(refusals.sums()).toEqual({ direct: 0, relay: 0, forgedByRelay: 0, lastAddress: null });
  for (let i = 0; i < 5_000; i++) refusals.direct("192.0.2.1");
  clock.advanceMs(300_000);
  refusals.relay("192.0.2.2", false);
  refusals.relay("192.0.2.3", true);
  expect(refusals.sums()).toEqual({ direct: 5_000, relay: 2, forgedByRelay: 1, lastAddress: "192.0.2.3" });
  clock.advanceMs(300_000);
  expect(refusals.sums()).toEqual({ direct: 0, relay: 2, forgedByRelay: 1, lastAddress: "192.0.2.3" });
  clock.advanceMs(300_000);
  expect(refusals.sums()).toEqual({ direct: 0, relay: 0, forgedByRelay: 0, lastAddress: null });
});
