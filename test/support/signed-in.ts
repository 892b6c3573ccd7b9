/** A running management with two people, for tests of what a person's login may ask for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../src/management/db/store.ts";
import { ADA, startTestManagement } from "./running-management.ts";
import { openSignedClient } from "./signed-client.ts";

export type SignedInLab = Awaited<ReturnType<typeof openSignedInLab>>;

/** The owner and Ada are there; `close` removes everything. */
export async function openSignedInLab() {
  const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
  const management = await startTestManagement(join(folder, "data"));
  await management.addPerson(ADA);
  const { accountId, context } = management;
  const initiator = { id: "test", name: "test", email: "" };
  return {
    management,
    /** A login on a device of its own. */
    async signedIn(who = ADA) {
      const client = await openSignedClient(management.url);
      const proof = await client.signIn(who);
      const registered = await client.register(proof);
      return { client, order: { proof, devicePeerId: registered.peerId }, user: registered.user };
    },
    change: (work: Parameters<Store["change"]>[1]): Promise<unknown> =>
      context.store.change({ accountId, initiator, affectsMaps: true }, work),
    async close(): Promise<void> {
      await management.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
