import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveFlags } from "../../../src/agent/contracts/flags.ts";
import { LiveFlags, type LiveFlagsOptions } from "../../../src/agent/lifecycle/live-flags.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const before = resolveFlags({ managementUrl: "https://qf.example.com", name: "web1" }, undefined);

function aLiveFlags(change: Partial<LiveFlagsOptions> = {}) {
  const steps: string[] = [];
  const agent = join(tempFolder(), "agent.json");
  const note = (what: string) => () => void steps.push(what);
  const options = {
    parts: { paths: { agent }, spool: { record: async () => void steps.push("recorded") } },
    enrolled: {},
    log: silentLog,
    pinnedKeys: { follow: note("follow") },
    isOver: () => false,
    listen: async () => void steps.push("listens"),
    onUsed: note("used"),
    onRepeated: async () => void steps.push("repeated"),
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
    expect(steps).toEqual(["follow", "repeated"]);
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

  const move = {
    ...{ from: "https://qf.example.com", to: "https://new.example.com" },
    ...{ at_seconds: 1, until_seconds: 2 },
  };

  test("follow management to another address, on disk first", async () => {
    const enrolled = { origin: move.from };
    const { live, steps, file } = aLiveFlags({ enrolled } as unknown as LiveFlagsOptions);
    expect(await live.followMove(move)).toBe(true);
    expect(live.now.managementUrl).toBe(move.to);
    expect(enrolled).toEqual({
      origin: move.to,
      movedFrom: { origin: move.from, untilSeconds: 2 },
    } as typeof enrolled);
    expect(steps).toEqual(["follow", "recorded", "follow", "used", "stored"]);
    expect(readFileSync(file, "utf8")).toContain(move.to);
  });

  test.each([
    ["with a pinned provider", { requireIdpBinding: true }, move],
    ["to an address that is not encrypted", {}, { ...move, to: "http://new.example.com" }],
  ])("stay where they are %s", async (_what, change, to) => {
    const { live, file } = aLiveFlags();
    live.use({ ...before, ...change });
    expect(await live.followMove(to)).toBe(false);
    expect([live.now.managementUrl, existsSync(file)]).toEqual([move.from, false]);
  });
});
