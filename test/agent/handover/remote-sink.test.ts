import { describe, expect, test } from "bun:test";
import { createRemoteSink, createSwitchableSink } from "../../../src/agent/handover/remote-sink.ts";
import { isQfError } from "../../../src/base/errors.ts";

/** The code with which `work` is refused. */
const refusalOf = async (work: Promise<unknown>) =>
  await work.then(
    () => "stored",
    (error: unknown) => (isQfError(error) ? error.code : "no failure of ours"),
  );

const EVENT = { type: "agent.state", what: "started", detail: "" } as const;

describe("evidence for another agent to store", () => {
  test("waits until there is one, and is stored once that one says so", async () => {
    const sink = createRemoteSink();
    const sent: number[] = [];
    const stored = sink.record(EVENT);
    sink.attach(({ id }) => sent.push(id));
    expect(sent).toEqual([1]);
    sink.recorded(1, null);
    await stored;
  });

  test.each(["ERR_TOO_MANY", "ERR_UNAVAILABLE", "of a later build"])("is refused with %s", async (code) => {
    const sink = createRemoteSink();
    sink.attach(({ id }) => sink.recorded(id, code));
    const known = code.startsWith("ERR_") ? code : "ERR_UNAVAILABLE";
    expect(await refusalOf(sink.record(EVENT))).toBe(known);
  });

  test("counts as not stored when that one goes without an answer", async () => {
    const sink = createRemoteSink();
    sink.attach(() => {});
    const refused = refusalOf(sink.record(EVENT));
    sink.detach();
    expect(await refused).toBe("ERR_UNAVAILABLE");
  });

  test("what was not sent yet outlives that, and goes to the next", async () => {
    const sink = createRemoteSink();
    sink.detach();
    const stored = sink.record(EVENT);
    sink.detach();
    sink.attach(({ id }) => sink.recorded(id, null));
    await stored;
  });

  test("does not wait for ever", async () => {
    expect(await refusalOf(createRemoteSink(1).record(EVENT))).toBe("ERR_UNAVAILABLE");
  });
});

test("a sink that was switched stores nothing in the first any more", async () => {
  const stored: string[] = [];
  const to = (name: string) => ({ record: async () => void stored.push(name) });
  const sink = createSwitchableSink(to("own"));
  await sink.record(EVENT);
  sink.switchTo(to("next"));
  await sink.record(EVENT);
  expect(stored).toEqual(["own", "next"]);
});
