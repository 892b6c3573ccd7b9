import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { resolveFlags } from "../../../src/agent/contracts/flags.ts";
import { LiveFlags, type LiveFlagsOptions } from "../../../src/agent/lifecycle/live-flags.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const before = resolveFlags({ managementUrl: "https://qf.example.com", name: "web1" }, undefined);

function aLiveFlags(change: Partial<LiveFlagsOptions> = {}) {
  const steps: string[] = [];
  const agent = join(tempFolder(), "agent.json");
  const note = (what: string) => () => void steps.push(what);
  const options = {
    parts: { paths: { agent }, spool: { record: async () => void steps.push("recorded") } },
    enrolled: {},
    pinnedKeys: { follow: note("follow") },
    isOver: () => false,
    listen: async () => void steps.push("listens"),
    onUsed: note("used"),
    onChanged: note("changed"),
    onStored: async () => void steps.push("stored"),
    ...change,
  } as unknown as LiveFlagsOptions;
  return { live: new LiveFlags(before, options), steps, file: agent };
}

describe("flags of a running agent", () => {
  test("are recorded, then in effect, then on disk", async () => {
    const { live, steps, file } = aLiveFlags();
    await live.apply({ sshRoot: true });
    expect(live.now.sshRoot).toBe(true);
    expect(steps).toEqual(["follow", "recorded", "listens", "follow", "used", "changed", "stored"]);
    expect(existsSync(file)).toBe(true);
  });

  test("stay as they are where nothing changes, or nothing can be recorded", async () => {
    const { live, steps } = aLiveFlags();
    await live.apply({ sshRoot: before.sshRoot });
    expect(steps).toEqual(["follow"]);
    const parts = { paths: {}, spool: { record: () => Promise.reject(new Error("full")) } };
    const full = aLiveFlags({ parts: parts as unknown as LiveFlagsOptions["parts"] });
    expect(
      await full.live.apply({ sshRoot: true }).then(
        () => true,
        () => false,
      ),
    ).toBe(false);
    expect(full.live.now).toEqual(before);
  });

  test("of an agent that has a successor are that one's", async () => {
    const { live, steps, file } = aLiveFlags({ isOver: () => true });
    const refused = await live.apply({ sshRoot: true }).catch((error: unknown) => error);
    expect(isQfError(refused, "ERR_UNAVAILABLE")).toBe(true);
    live.use({ ...before, sshRoot: true });
    expect(live.now.sshRoot).toBe(true);
    expect(steps).toEqual(["follow", "follow", "used"]);
    expect(existsSync(file)).toBe(false);
  });
});
