/** A machine or a device as management keeps it, valid unless a test says otherwise. */
import { type Ed25519Key, generateEd25519 } from "../../src/base/ed25519.ts";
import { newSecret } from "../../src/base/random.ts";
import type { ManagementContext } from "../../src/management/contracts/context.ts";
import { insertPeer, type NewPeer } from "../../src/management/db/tables/new-peer.ts";
import type { PeerRow } from "../../src/management/db/tables/peers.ts";

/** A peer and its device key. */
export interface TestPeer {
  readonly key: Ed25519Key;
  readonly row: PeerRow;
}

/** What `insertPeer` takes: a machine with a key that nobody has. */
export function aNewPeer(accountId: string, change: Partial<NewPeer> = {}): NewPeer {
  return {
    accountId,
    kind: "machine",
    name: "web",
    deviceKey: newSecret("").slice(0, 43),
    hostKeys: [],
    facts: { hostname: "web", os: "Debian GNU/Linux 12", kernelVersion: "6.1.0-13-amd64", version: "0.1.0" },
    connectionIp: "192.0.2.7",
    owner: null,
    ownerApproved: true,
    status: "active",
    vouchedByPeerId: null,
    ephemeral: false,
    groups: [],
    ...change,
  };
}

/** Puts a peer with a key of ours into an account whose agents and streams are to hear of it. */
export async function aPeerRow(
  to: { readonly accountId: string; readonly context: Pick<ManagementContext, "store"> },
  change: Partial<NewPeer> & Pick<NewPeer, "name">,
): Promise<TestPeer> {
  const key = generateEd25519();
  const { accountId, context } = to;
  const initiator = { id: "test", name: "test", email: "" };
  const wanted = {
    deviceKey: key.publicKey,
    hostKeys: change.kind === "device" ? [] : ["AAAA"],
    facts: { hostname: change.name, os: "linux", kernelVersion: "6", version: "0" },
    connectionIp: "127.0.0.1",
    ...change,
  };
  const row = await context.store.change({ accountId, initiator, affectsMaps: true }, (tx) =>
    insertPeer(tx, aNewPeer(accountId, wanted)),
  );
  return { key, row };
}
