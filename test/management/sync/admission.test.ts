import { expect, test } from "bun:test";
import { createAdmission } from "../../../src/management/sync/admission.ts";

const bounds = { inMax: 2, waitingMax: 2, waitMsMax: 60_000 };

test("an admission lets so many in at once, and the next in order of coming", async () => {
  const admission = createAdmission(bounds);
  const first = await admission.enter();
  await admission.enter();
  const came: string[] = [];
  const entered = async (name: string): Promise<(() => void) | null> => {
    const leave = await admission.enter();
    came.push(name);
    return leave;
  };
  const third = entered("third");
  const fourth = entered("fourth");
  expect(await admission.enter()).toBeNull();
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
  const leave = await admission.enter();
  expect(await admission.enter()).toBeNull();
  leave?.();
  expect(admission.inside).toBe(0);
  expect(await admission.enter()).not.toBeNull();
});

test("an admission that closes turns away whoever waits or comes", async () => {
  const admission = createAdmission({ ...bounds, inMax: 1 });
  await admission.enter();
  const waiting = admission.enter();
  admission.close();
  expect([await waiting, await admission.enter()]).toEqual([null, null]);
});
