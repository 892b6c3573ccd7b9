import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { MapHolder } from "../../../src/agent/control-link/map-holder.ts";
import type { AgentParts } from "../../../src/agent/lifecycle/agent-parts.ts";
import { openRecorder } from "../../../src/agent/lifecycle/open-recorder.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { anId } from "../../support/policy.ts";
import { anEvidence, aRequest } from "../../support/recorder.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("an agent records into its state folder, for the recipients that its map names by then", async () => {
  const recordings = join(tempFolder(), "recordings");
  let recipients: string[] | undefined;
  const parts = { clock: systemClock, keys: { deviceKey: generateEd25519() }, paths: { recordings } };
  const maps = { snapshot: () => ({ map: { settings: { recordingRecipients: recipients } } }) };
  const enrolled = { peerId: anId("web1"), accountId: anId("account"), origin: "http://127.0.0.1:1" };
  const recorder = openRecorder(parts as unknown as AgentParts, {
    log: silentLog,
    enrolled: enrolled as never,
    maps: maps as unknown as MapHolder,
  });
  const recipient = await identityToRecipient(await generateX25519Identity());
  for (const now of [undefined, [recipient]]) {
    recipients = now;
    const { events, evidence } = anEvidence();
    const recording = await recorder.open(aRequest({ evidence }));
    expect(events).toEqual([["started", now === undefined ? 0 : 1]]);
    expect(readdirSync(recordings, { recursive: true }).join()).toContain(recording?.id ?? "none");
    await recording?.end();
  }
  await recorder.close();
});
