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

test("an agent records into its state folder, for the recipients that root names, or its map does by then", async () => {
  const recordings = join(tempFolder(), "recordings");
  let recipients: string[] | undefined;
  let own: string[] | undefined;
  const parts = { clock: systemClock, keys: { deviceKey: generateEd25519() }, paths: { recordings } };
  const maps = { snapshot: () => ({ map: { settings: { recordingRecipients: recipients } } }) };
  const enrolled = { peerId: anId("web1"), accountId: anId("account"), origin: "http://127.0.0.1:1" };
  const sources = {
    log: silentLog,
    enrolled: enrolled as never,
    maps: maps as unknown as MapHolder,
  };
  const flags = {
    get now() {
      return own === undefined ? {} : { recordingRecipients: own };
    },
  };
  const recorder = openRecorder(parts as unknown as AgentParts, sources, flags);
  const aRecipient = async () => identityToRecipient(await generateX25519Identity());
  const [one, two] = [await aRecipient(), await aRecipient()];
  const rows = [
    { ofAccount: undefined, ofMachine: undefined, count: 0, isOther: false },
    { ofAccount: [one], ofMachine: undefined, count: 1, isOther: true },
    // Root's own count for more than what management says.
    { ofAccount: [], ofMachine: [one, two], count: 2, isOther: true },
    { ofAccount: [one], ofMachine: [two, one], count: 2, isOther: true },
    { ofAccount: [one], ofMachine: [], count: 1, isOther: true },
    { ofAccount: [], ofMachine: [], count: 0, isOther: true },
  ];
  for (const { ofAccount, ofMachine, count, isOther } of rows) {
    [recipients, own] = [ofAccount, ofMachine];
    const { events, evidence } = anEvidence();
    const recording = await recorder.open(aRequest({ evidence }));
    expect(events).toEqual([["started", count]]);
    expect([recorder.encrypts(), recording?.facts.isEncrypted]).toEqual([count > 0, count > 0]);
    expect(recording?.facts.otherKeysSinceSeconds !== null).toBe(isOther);
    expect(readdirSync(recordings, { recursive: true }).join()).toContain(recording?.id ?? "none");
    await recording?.end();
  }
  await recorder.close();
});
