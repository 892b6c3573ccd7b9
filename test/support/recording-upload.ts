/** Uploads of a machine to management's recordings, signed as an agent signs them. */
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../src/base/ed25519.ts";
import { newId, sha256 } from "../../src/base/random.ts";
import { insertPeer } from "../../src/management/db/tables/new-peer.ts";
import type { PeerRow } from "../../src/management/db/tables/peers.ts";
import { ingestAgentEvents } from "../../src/management/sync/audit-ingest.ts";
import { packChunk } from "../../src/recording/chunk.ts";
import type { RecordingHead, RecordingUpload } from "../../src/wire/recording.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { anAccount, aUserOf, ORIGIN, type TestManagement } from "./management.ts";
import { aNewPeer } from "./peer-row.ts";
import { aRecordingHead } from "./recording.ts";

export interface SignedUpload {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signature: string;
}

/** A machine with its key, whose one session is reported. */
export class RecordingMachine {
  readonly recordingId = newId();
  readonly key: Ed25519Key;
  readonly peer: PeerRow;
  readonly head: RecordingHead;

  constructor(key: Ed25519Key, peer: PeerRow, head: RecordingHead) {
    this.key = key;
    this.peer = peer;
    this.head = head;
  }

  /** Chunk `n` of its recording, before it is packed. */
  static lines(n: number): Buffer {
    return Buffer.from(`[${n}.0, "o", "line ${n}"]\n`);
  }

  /** Chunks from `first` on, as the agent of this machine sends them. */
  upload(
    first: number,
    count: number,
    change: Partial<RecordingUpload> = {},
    lines: (n: number) => Uint8Array = RecordingMachine.lines,
  ): SignedUpload {
    const chunks = Array.from({ length: count }, (_, i) => packChunk(lines(first + i)));
    const head: RecordingUpload = {
      peerId: this.peer.id,
      recordingId: this.recordingId,
      first,
      sizes: chunks.map(({ length }) => length),
      ...(first === 0 ? { head: this.head } : {}),
      ...change,
    };
    const json = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    return this.sign(Buffer.concat([length, json, ...chunks]));
  }

  /** Reports that other sessions have begun, each in a connection of its own. */
  async reportOthers({ store }: Pick<TestManagement, "store">, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, i) =>
      startOf({ ...this.head, connectionId: newId() }, { seq: i + 2 }),
    );
    await ingestAgentEvents(store, this.peer, events);
  }

  sign(body: Uint8Array<ArrayBuffer>, origin = ORIGIN): SignedUpload {
    const scope = { accountId: this.peer.accountId, origin };
    const fields = { peer: this.peer.id, digest: sha256(body) };
    return { body, signature: signEd25519(this.key, signedBytes("recording", scope, fields)) };
  }
}

/** `accountId` absent: an account of its own. */
export async function aRecordingMachine(
  { store }: Pick<TestManagement, "store">,
  change: Partial<RecordingHead> & { accountId?: string; isReported?: boolean } = {},
): Promise<RecordingMachine> {
  const { accountId: given, isReported = true, ...rest } = change;
  const accountId = given ?? (await anAccount(store)).accountId;
  const key = generateEd25519();
  const wanted = aNewPeer(accountId, { deviceKey: key.publicKey, name: `web-${newId()}` });
  const peer = await store.transaction((tx) => insertPeer(tx, wanted));
  const user = await aUserOf(store, accountId);
  const head = aRecordingHead({ connectionId: newId(), userId: user.id, ...rest });
  if (isReported) await report(store, peer, head);
  return new RecordingMachine(key, peer, head);
}

async function report(store: TestManagement["store"], peer: PeerRow, head: RecordingHead): Promise<void> {
  await ingestAgentEvents(store, peer, [startOf(head, { seq: 1 })]);
}

function startOf(
  { connectionId, sessionId, userId, kind }: RecordingHead,
  { seq }: { readonly seq: number },
) {
  const session = { connectionId, sessionId, userId, kind, command: null, argv: null, pty: true };
  return { seq, atMs: 1, body: { type: "session.start" as const, ...session } };
}
