/**
 * Attacks on the relay: forged, claimed and relabelled requests for streams, and links of machines that the
 * caller is not.
 *
 * @module
 */
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../base/ed25519.ts";
import { newId } from "../../base/random.ts";
import { type HelloScope, makeHello } from "../../fabric/hello.ts";
import { signRelayDial, signRelayServe } from "../../fabric/relay-client.ts";
import { PING_PORT } from "../../wire/hello.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_AGENT_PATH,
  RELAY_CLIENT_PATH,
  RELAY_FRAME,
  RELAY_HELLO_HEADER,
  RELAY_PROOF_HEADER,
  type RelayReset,
  resetOf,
} from "../../wire/relay.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { Attack, Verdict } from "./attack.ts";

/** How long a socket is watched that should be gone. */
const SOCKET_MS = 8_000;
const NO_DEVICE = { skipped: "this device is not registered there; run qf login once" };

/** This device as management knows it. */
export interface OwnDevice {
  readonly peerId: string;
  readonly deviceKey: Ed25519Key;
}

export interface RelayAttackOptions {
  readonly scope: HelloScope;
  nowSeconds(): number;
  /** Null: this device is not registered. */
  readonly device: OwnDevice | null;
}

/** `url`: where management is reached. */
export function relayAttacks(url: string, options: RelayAttackOptions): Attack[] {
  const { scope, device, nowSeconds } = options;
  const attack = (id: string, tried: string, run: () => Promise<Verdict>): Attack => {
    return { id, target: url, tried, run };
  };
  const asDevice = (run: (device: OwnDevice) => Promise<Verdict>) => async () =>
    device === null ? NO_DEVICE : run(device);
  const stream = (by: OwnDevice, forgery: DialForgery = {}) =>
    unprovenSocket(url, RELAY_CLIENT_PATH, dialHeaders(by, { scope, nowSeconds: nowSeconds() }, forgery));
  const link = (by: OwnDevice) =>
    unprovenSocket(url, RELAY_AGENT_PATH, {
      [RELAY_PROOF_HEADER]: signRelayServe({ ...by, scope, nowSeconds: nowSeconds() }),
    });
  return [
    attack("relay_stream_forged", "a relayed stream by a key that is nobody's", () => stream(nobody())),
    attack(
      "relay_stream_claimed",
      "a relayed stream in the name of this device, by another key",
      asDevice(({ peerId }) => stream({ ...nobody(), peerId })),
    ),
    attack(
      "relay_stream_overheard",
      "a relayed stream with a hello of this device that another key presents",
      asDevice((own) => stream(own, { proofKey: generateEd25519() })),
    ),
    attack(
      "relay_stream_relabelled",
      "a relayed stream with a proof that was signed for another purpose",
      asDevice((own) => stream(own, { purpose: "hello" })),
    ),
    attack(
      "relay_stream_other_account",
      "a relayed stream signed for another account",
      asDevice((own) => stream(own, { scope: { ...scope, accountId: newId() } })),
    ),
    attack(
      "relay_stream_other_server",
      "a relayed stream signed for another server",
      asDevice((own) => stream(own, { scope: { ...scope, origin: "https://evil.example" } })),
    ),
    attack("relay_link_forged", "a machine's relay link by a key that is nobody's", () => link(nobody())),
    attack(
      "relay_link_of_device",
      "a machine's relay link by this device, which is no machine",
      asDevice((own) => link(own)),
    ),
  ];
}

/** A machine's relay link that `device` opens in the name of `peerId`. */
export function claimedLink(
  url: string,
  { scope, nowSeconds, device }: RelayAttackOptions & { readonly device: OwnDevice },
  peerId: string,
): Promise<Verdict> {
  return unprovenSocket(url, RELAY_AGENT_PATH, {
    [RELAY_PROOF_HEADER]: signRelayServe({ ...device, peerId, scope, nowSeconds: nowSeconds() }),
  });
}

function nobody(): OwnDevice {
  return { peerId: newId(), deviceKey: generateEd25519() };
}

interface DialForgery {
  readonly proofKey?: Ed25519Key;
  readonly purpose?: "hello";
  readonly scope?: HelloScope;
}

function dialHeaders(
  { peerId, deviceKey }: OwnDevice,
  { scope: own, nowSeconds }: { readonly scope: HelloScope; readonly nowSeconds: number },
  { proofKey = deviceKey, purpose, scope = own }: DialForgery,
): Record<string, string> {
  const about = { source: peerId, target: newId(), port: PING_PORT, nowSeconds };
  const hello = makeHello({ deviceKey, scope, ...about }).trimEnd();
  const proof =
    purpose === undefined
      ? signRelayDial(proofKey, scope, hello)
      : signEd25519(proofKey, signedBytes(purpose, scope, { hello }));
  return { [RELAY_HELLO_HEADER]: hello, [RELAY_PROOF_HEADER]: proof };
}

/** What came on a relay socket. */
export interface Heard {
  /** Whether a socket was opened at all. */
  readonly isOpen: boolean;
  /** Why the relay ended the stream. Null: it has not. */
  readonly reset: RelayReset | null;
  /** Bytes of data. */
  readonly bytes: number;
  /** Whether a ping of the relay was answered. */
  readonly isAlive: boolean;
  readonly isClosed: boolean;
}

/** The relay must refuse the socket, or what it would carry. */
export async function refusedSocket(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<Verdict> {
  const verdict = await unprovenSocket(url, path, headers);
  return verdict === BELIEVED ? null : verdict;
}

const BELIEVED = "the relay takes it for proven";

/** As `refusedSocket`, where the relay must not even believe who asks. */
async function unprovenSocket(url: string, path: string, headers: Record<string, string>): Promise<Verdict> {
  const { isOpen, reset, bytes } = await talkToRelay(url, path, {
    headers,
    onOpen: (send) => send(encodeRelayFrame(RELAY_FRAME.ping, 0)),
    isEnough: (heard) => heard.bytes > 0 || heard.isAlive || heard.reset !== null,
  });
  if (!isOpen || reset === "unproven") return null;
  if (reset === "refused") return BELIEVED;
  if (reset === "limit") return { skipped: "the relay has no room now" };
  if (bytes > 0) return `it was answered with ${bytes} bytes`;
  return reset === null ? "the socket stays open" : `it was admitted, and ended with ${reset}`;
}

export interface RelayTalk {
  readonly headers: Record<string, string>;
  /** Called once, when the socket is open. */
  onOpen?(send: (message: string | Buffer) => void): void;
  /** Called with each piece of data. */
  onData?(send: (message: string | Buffer) => void): void;
  isEnough(heard: Heard): boolean;
}

/**
 * Opens a relay socket, and listens until its end or until enough was heard. Rejects when management cannot
 * be reached or is busy.
 */
export function talkToRelay(
  url: string,
  path: string,
  { headers, onOpen, onData, isEnough }: RelayTalk,
): Promise<Heard> {
  // Headers are an extension of Bun.
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${path}`, { headers } as object as string[]);
  (socket as { binaryType: string }).binaryType = "nodebuffer";
  const send = (message: string | Buffer): void => socket.send(message as Buffer<ArrayBuffer>);
  return new Promise((resolve, reject) => {
    let heard: Heard = { isOpen: false, reset: null, bytes: 0, isAlive: false, isClosed: false };
    const settle = (): void => {
      clearTimeout(timer);
      socket.close();
      resolve(heard);
    };
    const timer = setTimeout(settle, SOCKET_MS);
    socket.onopen = () => {
      heard = { ...heard, isOpen: true };
      onOpen?.(send);
    };
    socket.onmessage = ({ data }) => {
      const frame = decodeRelayFrame(data);
      if (frame?.type === RELAY_FRAME.data) heard = { ...heard, bytes: heard.bytes + frame.payload.length };
      else if (frame?.type === RELAY_FRAME.reset) heard = { ...heard, reset: resetOf(frame) };
      else if (frame?.type === RELAY_FRAME.pong) heard = { ...heard, isAlive: true };
      if (isEnough(heard)) settle();
      else if (frame?.type === RELAY_FRAME.data) onData?.(send);
    };
    socket.onerror = (event) => {
      const { message = "" } = event as { message?: string };
      if (heard.isOpen || /status code: (?!429)4\d\d/.test(message)) return;
      clearTimeout(timer);
      reject(new Error(message === "" ? "no socket could be opened" : message));
    };
    socket.onclose = () => {
      heard = { ...heard, isClosed: true };
      settle();
    };
  });
}
