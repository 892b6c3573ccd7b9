/**
 * The relay's interface to the rest of management. `hub.ts` implements it.
 *
 * @module
 */
import type { Server, WebSocketHandler } from "bun";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { DialClaim } from "./admission.ts";
import type { DialCheck } from "./admission-http.ts";
import type { PlainHost } from "./plain-listener.ts";
import type { SendQueue } from "./send-queue.ts";
import type { Carrier, RelayedStream, Stream } from "./streams.ts";
import type { TunnelHost } from "./tunnel.ts";
import type { Tunnels } from "./tunnels.ts";

/** Data attached to a WebSocket of the relay, from its request to its end. */
export interface RelaySocketData {
  readonly kind: "relay-client" | "relay-agent";
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly check: DialCheck;
  /** Null until the socket is open. */
  sendQueue: SendQueue | null;
  /** A client's only stream. Null: a machine's socket, or a client that was turned away. */
  stream: Stream | null;
  /** The dashboard session that opened the socket. Null: not opened by a page. */
  readonly page: PageSession | null;
  /** A machine's link. Null: a client's socket, or a machine that was turned away. */
  link: AgentLink | null;
}

/** A machine's link to the relay. */
export interface AgentLink extends Carrier {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  lastStreamId: number;
}

/** The dashboard session of a page that dials. The page's streams end with it. */
export interface PageSession {
  readonly sessionId: string;
  /** Whether the session still exists. A rejection counts as no. */
  isLive(): Promise<boolean>;
}

/** What was read from a page's request. */
export interface PageDial {
  readonly claim: DialClaim;
  readonly session: PageSession;
  /** The subprotocol to answer with. */
  readonly protocol: string;
}

/** A request for a socket, with what a page sent if one asks. */
export interface AskedSocket {
  readonly request: Request;
  readonly server: Server<unknown>;
  readonly address: string;
  readonly page?: PageDial;
}

/** The relay of one process. */
export interface RelayHub {
  /** Answers a client's request. Undefined: the connection is a WebSocket now. */
  dial(request: Request, server: Server<unknown>, sourceAddress: string): Promise<Response | undefined>;
  /** Answers the request of one of our pages. */
  dialFromPage(
    request: Request,
    server: Server<unknown>,
    sourceAddress: string,
    page: PageDial,
  ): Promise<Response | undefined>;
  /** Answers a machine's request for its link. */
  serve(request: Request, server: Server<unknown>, sourceAddress: string): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<RelaySocketData>;
  /** Whether the machine has a link to the relay here. */
  hasLink(peerId: PeerId): boolean;
  /** The account's streams that pass through this process. */
  streams(accountId: AccountId): RelayedStream[];
  /** Open streams and links, and bytes that wait for readers, over all accounts. */
  load(): { readonly streams: number; readonly links: number; readonly waitingBytes: number };
  /** What the plain listener needs from this relay. */
  readonly plainHost: PlainHost;
  /** What tunnels to other processes need from this relay. */
  readonly host: TunnelHost;
  /** From now on also reaches machines whose link is at another process. */
  join(tunnels: Tunnels): void;
  /** Tells both ends of every stream that management is stopping, then closes them. */
  close(): Promise<void>;
}
