/**
 * The steps from a login to a signed-in SSH connection: certificate, hello, relay, SSH.
 *
 * Only the host keys that came with the certificate are accepted.
 *
 * @module
 */
import { type Bytes, fromBase64, toBase64Url, utf8 } from "../../browser-ssh/bytes.ts";
import { connectSsh, type SshConnection } from "../../browser-ssh/connection.ts";
import { openRelay } from "../../browser-ssh/relay-link.ts";
import type { CertificateResponse, TargetInfo } from "../../wire/client-api.ts";
import { HELLO_PREFIX, TERMINAL_PROTOCOL, TERMINAL_RELAY_PATH } from "../../wire/terminal-page.ts";
import { clientCalls, sentence } from "./client-calls.ts";
import { serverClock } from "./server-clock.ts";
import { proofHash, type TerminalLogin } from "./terminal-login.ts";
import { hashOf, signFields } from "./web-keys.ts";

const SSH_PORT = 22;
const NONCE_BYTES = 16;

export interface Wanted {
  /** Peer id or name. */
  readonly target: string;
  readonly localUser: string;
  readonly reason: string | null;
}

/** A denial by management, with its reason. */
export class DeniedError extends Error {
  override readonly name = "DeniedError";
  readonly reason: string;
  readonly hint: string | null;
  readonly receipt: string;
  /** Peer id of the machine. Null: management does not reveal whether it exists. */
  readonly machineId: string | null;

  constructor(answer: Extract<CertificateResponse, { outcome: "denied" }>) {
    super(sentence(answer.sentence));
    this.reason = answer.reason;
    this.hint = answer.hint === undefined ? null : sentence(answer.hint);
    this.receipt = answer.receipt;
    this.machineId = answer.target?.peerId ?? null;
  }
}

export interface Reached {
  readonly connection: SshConnection;
  readonly target: TargetInfo;
}

/** Connects to a machine. Rejects with `DeniedError`, `ApiError` or `SshFailure`. */
export async function reachMachine(
  login: TerminalLogin,
  wanted: Wanted,
  onBanner: (text: string) => void,
): Promise<Reached> {
  const answer = await certificateFor(login, wanted);
  if (answer.outcome === "denied") throw new DeniedError(answer);
  const { target } = answer;
  const hostKeys = target.hostKeys.map(fromBase64);
  const link = await openRelay(...(await relayRequest(login, target.peerId)));
  const own = target.machineIdentity
    ? { key: login.deviceKey, certificate: null }
    : { key: login.loginKey, certificate: fromBase64(answer.certificate) };
  const { publicKey, privateKey } = own.key;
  const connection = await connectSsh({
    ...{ link, hostKeys, onBanner, user: wanted.localUser },
    identity: { publicKey, privateKey, certificate: own.certificate },
  });
  return { connection, target };
}

async function certificateFor(login: TerminalLogin, wanted: Wanted): Promise<CertificateResponse> {
  const { scope, loginKey, deviceKey, device, proof } = login;
  const { challenge } = await clientCalls.challenge();
  const timeSeconds = now();
  const target = wanted.target.toLowerCase();
  const reason = wanted.reason === null ? {} : { accessReason: wanted.reason };
  const signed = {
    challenge,
    loginKey: loginKey.text,
    devicePeerId: device.peerId,
    proofHash: await proofHash(proof),
    target,
    localUser: wanted.localUser,
    ...reason,
    timeSeconds,
  };
  const [loginSignature, deviceSignature] = await Promise.all([
    signFields(loginKey, "mint", scope, signed),
    signFields(deviceKey, "mint", scope, signed),
  ]);
  return clientCalls.certificate({
    ...{ challenge, timeSeconds, proof, target, loginSignature, deviceSignature, ...reason },
    ...{ loginKey: loginKey.text, devicePeerId: device.peerId, localUser: wanted.localUser },
  });
}

/** URL and subprotocols of the relay's WebSocket, with a ticket from this page's session. */
async function relayRequest(login: TerminalLogin, peerId: string): Promise<[string, string[]]> {
  const { scope, deviceKey, device } = login;
  const hello = {
    ...{ source: device.peerId, target: peerId, port: SSH_PORT, timeSeconds: now() },
    nonce: toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))),
  };
  const signature = await signFields(deviceKey, "hello", scope, hello);
  const line = `${HELLO_PREFIX}${textToBase64Url(JSON.stringify(hello))} ${signature}`;
  const [proof, ticket] = await Promise.all([
    signFields(deviceKey, "relay", scope, { hello: line }),
    hashOf(line).then((hash) => clientCalls.ticket(hash)),
  ]);
  // Uses this page's own host, which has its session and may differ from the host that machines use.
  const url = `${window.location.origin.replace(/^http/, "ws")}${TERMINAL_RELAY_PATH}`;
  return [url, [TERMINAL_PROTOCOL, `ticket.${ticket}`, `hello.${textToBase64Url(line)}`, `proof.${proof}`]];
}

function textToBase64Url(text: string): string {
  const bytes: Bytes = utf8(text);
  return toBase64Url(bytes);
}

function now(): number {
  return serverClock.seconds(Date.now());
}
