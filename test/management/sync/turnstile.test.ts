import { expect, test } from "bun:test";
import { createAdmission } from "../../../src/management/sync/admission.ts";

const bounds = { inMax: 2, waitingMax: 2, waitMsMax: 60_000 };

test("an admission lets so many in at once, and the next in order of coming", async () => {
  const admission = createAdmission(bounds);
  const first = await admission.enter("first");
  await admission.enter("second");
  const came: string[] = [];
  const entered = async (name: string): Promise<(() => void) | null> => {
    const leave = await admission.enter(name);
    came.push(name);
    return leave;
  };
  const third = entered("third");
  const fourth = entered("fourth");
  expect(await admission.enter("fifth")).toBeNull();
  expect([admission.inside, came]).toEqual([2, []]);
  first?.();
  first?.(); // Leaves once.
  const leave = await third;
  expect([admission.inside, came]).toEqual([2, ["third"]]);
  leave?.();
  expect(await fourth).not.toBeNull();
  expect([admission.peak, came]).toEqual([2, ["third", "fourth"]]);
});

test("an admission turns away who has waited too long, and lets others in after", async () => {
  const admission = createAdmission({ ...bounds, inMax: 1, waitMsMax: 20 });
  const leave = await admission.enter("a");
  expect(await admission.enter("a")).toBeNull();
  leave?.();
  expect(admission.inside).toBe(0);
  expect(await admission.enter("a")).not.toBeNull();
});

test("an admission that closes turns away whoever waits or comes", async () => {
  const admission = createAdmission({ ...bounds, inMax: 1 });
  await admission.enter("a");
  const waiting = admission.enter("a");
  admission.close();
  expect([await waiting, await admission.enter("a")]).toEqual([null, null]);
});

test("an admission gives nobody more than half, and lets others pass those who wait for their own", async () => {
  const admission = createAdmission({ inMax: 2, waitingMax: 4, waitMsMax: 60_000 });
  const first = await admission.enter("greedy");
  const came: string[] = [];
  const waiting = ["greedy", "greedy"].map((key) => admission.enter(key).then(() => void came.push(key)));
  expect(await admission.enter("greedy")).toBeNull();
  const other = await admission.enter("other");
  expect(other).not.toBeNull();
  const third = admission.enter("third").then((leave) => {
    came.push("third");
    return leave;
  });
  other?.();
  (await third)?.();
  expect(came).toEqual(["third"]);
  first?.();
  await waiting[0];
  expect(came).toEqual(["third", "greedy"]);
  admission.close();
  await Promise.all(waiting);
});
