import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../../src/base/ed25519.ts";
import { signHandover } from "../../../../src/log/key-handover.ts";
import { appendEvents, systemInitiator } from "../../../../src/management/db/tables/audit-events.ts";
import { findPeerKeyEvent, listHandovers } from "../../../../src/management/db/tables/log-keys.ts";
import { peerKeyEvent } from "../../../../src/management/db/tables/new-peer.ts";
import { aManagement, anAccount, aPeerOf } from "../../../support/management.ts";

test("the newest key of a peer is found, and how the log's keys came, of one account each", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const other = (await anAccount(store, "else@example.com")).accountId;
  const peer = await aPeerOf(store, accountId);
  const keys = [0, 1, 2].map(generateEd25519);
  const [one, two, three] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
  const words = [signHandover("o", { from: one, to: two }), signHandover("o", { from: two, to: three })];
  await store.transaction(async (tx) => {
    const events = words.map((data) => ({ activity: "log.key" as const, targetId: accountId, data }));
    await appendEvents(tx, accountId, systemInitiator, events);
    for (const deviceKey of [one.publicKey, two.publicKey]) {
      await appendEvents(tx, accountId, systemInitiator, [peerKeyEvent({ ...peer, deviceKey })]);
    }
  });
  await store.read(async (tx) => {
    expect(await listHandovers(tx, accountId)).toEqual(words);
    expect(await listHandovers(tx, other)).toEqual([]);
    expect((await findPeerKeyEvent(tx, accountId, peer.id))?.data).toEqual({ device_key: two.publicKey });
    expect(await findPeerKeyEvent(tx, other, peer.id)).toBeUndefined();
  });
});
