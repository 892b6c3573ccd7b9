/**
 * The REST API with two machines that report SSH sessions: as they record them, and as they say who is on.
 */
import { newId } from "../../src/base/random.ts";
import type { PeerRow } from "../../src/management/db/tables/peers.ts";
import { ingestAgentEvents } from "../../src/management/sync/audit-ingest.ts";
import type { PeerSession } from "../../src/management/sync/sync-hub.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import type { Session } from "../../src/wire/session.ts";
import { TestApi } from "./admin-api.ts";
import { aPeerOf } from "./management.ts";

export interface Opened {
  readonly id?: string;
  readonly agoMs?: number;
  readonly localUser?: string;
  readonly clientVersion?: string;
  readonly devicePeerId?: string;
  readonly ruleId?: string;
}

export class SessionApi {
  readonly api: TestApi;
  readonly web: PeerRow;
  readonly db: PeerRow;
  /** What machines say of who is on. */
  readonly live: PeerSession[];
  /** Orders to end one, each of which its machine carries out. */
  readonly ordered: [peerId: string, connectionId: string, text: string][];
  /** Machines without a link. */
  readonly offline: Set<string>;
  readonly #nextSeq = new Map<string, number>();

  private constructor(parts: Pick<SessionApi, "api" | "web" | "db" | "live" | "ordered" | "offline">) {
    this.api = parts.api;
    this.web = parts.web;
    this.db = parts.db;
    this.live = parts.live;
    this.ordered = parts.ordered;
    this.offline = parts.offline;
  }

  static async open(): Promise<SessionApi> {
    const live: PeerSession[] = [];
    const ordered: SessionApi["ordered"] = [];
    const offline = new Set<string>();
    const api = await TestApi.open({
      sessions: () => live,
      isConnected: (peerId) => !offline.has(peerId),
      endSession: (peerId, connectionId, text) => {
        ordered.push([peerId, connectionId, text]);
        void made.close(peerId === web.id ? web : db, connectionId, { reason: "session_killed" });
        return true;
      },
    });
    const web = await aPeerOf(api.management.store, api.accountId, { name: "web1" });
    const db = await aPeerOf(api.management.store, api.accountId, { name: "db1" });
    const made = new SessionApi({ api, web, db, live, ordered, offline });
    return made;
  }

  async report(peer: PeerRow, body: AgentEventBody, agoMs = 0): Promise<void> {
    const seq = this.#nextSeq.get(peer.id) ?? 1;
    this.#nextSeq.set(peer.id, seq + 1);
    const { store, clock } = this.api.management;
    await ingestAgentEvents(store, peer, [{ seq, atMs: clock.nowMs() - agoMs, body }]);
  }

  /** A connection that began, as its machine records it. */
  async begin(peer: PeerRow, userId: string | null, change: Opened = {}): Promise<string> {
    const { id = newId(), agoMs = 60_000, localUser = "deploy", clientVersion = "OpenSSH_9.9" } = change;
    const { devicePeerId = null, ruleId = null } = change;
    const body: AgentEventBody = {
      ...{ type: "connection.open", connectionId: id, userId, devicePeerId, localUser, clientVersion },
      ...{ path: "direct", sourceAddress: "192.0.2.7", certificateSerial: "1", ruleId },
      accessReason: "ticket 12",
    };
    await this.report(peer, body, agoMs);
    return id;
  }

  async close(
    peer: PeerRow,
    connectionId: string,
    { reason = null, agoMs = 0 }: { reason?: "session_killed" | null; agoMs?: number } = {},
  ): Promise<void> {
    const traffic = { bytesIn: 10, bytesOut: 2_000, durationMs: 5 };
    await this.report(peer, { type: "connection.close", connectionId, reason, ...traffic }, agoMs);
  }

  /** What the machine says of it now. */
  reported(peer: PeerRow, connectionId: string, userId: string | null, agoSeconds = 60): PeerSession {
    const startedAtSeconds = Math.floor(this.api.management.clock.nowMs() / 1000) - agoSeconds;
    return {
      peerId: peer.id,
      session: {
        ...{ connectionId, userId, localUser: "deploy", user: "Ada", peer: "laptop.qf.internal" },
        ...{ command: "<interactive shell>", forwards: ["-L 8080"], startedAtSeconds, path: "direct" },
      },
    };
  }

  /** One that began and goes on. */
  async beginLive(peer: PeerRow, userId: string | null, change: Opened = {}): Promise<string> {
    const id = await this.begin(peer, userId, change);
    this.live.push(this.reported(peer, id, userId));
    return id;
  }

  async list(query = "", token = this.api.owner): Promise<Session[]> {
    return (await this.api.call("GET", `/api/sessions${query}`, undefined, token)).body;
  }

  kill(id: string, body: unknown = {}, token = this.api.owner) {
    return this.api.call("POST", `/api/sessions/${id}/kill`, body, token);
  }
}

export const idsOf = (sessions: readonly Session[]): string[] => sessions.map(({ id }) => id);
