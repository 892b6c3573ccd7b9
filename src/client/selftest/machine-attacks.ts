/**
 * Attacks on a machine's port: strangers, forged hellos and, on a port that speaks SSH, messages that are not
 * allowed before the key exchange.
 *
 * @module
 */
import { connect } from "node:net";
import { generateEd25519 } from "../../base/ed25519.ts";
import { newId } from "../../base/random.ts";
import { makeHello } from "../../fabric/hello.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { Attack, Verdict } from "./attack.ts";

/** How long a machine may take to close a connection; its own time-out for a hello is 5 s. */
const END_MS = 12_000;
const BANNER_MS = 2_000;
const KEPT_BYTES_MAX = 64 * 1024;

/** Messages that are valid only after authentication, and a wrong first one (RFC 4250). */
const EARLY_MESSAGES = [
  { type: 21, name: "NEWKEYS before a key exchange" },
  { type: 50, name: "USERAUTH_REQUEST before a key exchange" },
  { type: 80, name: "a global request of a stranger" },
  { type: 90, name: "a channel of a stranger" },
] as const;
/** SERVICE_ACCEPT, USERAUTH_SUCCESS, REQUEST_SUCCESS, CHANNEL_OPEN_CONFIRMATION, CHANNEL_SUCCESS. */
const GRANTS: ReadonlySet<number> = new Set([6, 52, 81, 91, 99]);

export interface MachinePlace {
  readonly host: string;
  readonly port: number;
}

export function machineAttacks(
  { host, port }: MachinePlace,
  scope: { readonly accountId: string; readonly origin: string },
  nowSeconds: () => number,
): Attack[] {
  const place = { host, port };
  const target = `${host}:${port}`;
  const attack = (id: string, tried: string, run: () => Promise<Verdict>): Attack => ({
    id,
    target,
    tried,
    run,
  });
  const forged = (change: { readonly target?: string } = {}): string =>
    makeHello({
      deviceKey: generateEd25519(),
      scope,
      source: newId(),
      target: change.target ?? newId(),
      port: SSH_PORT,
      nowSeconds: nowSeconds(),
    });
  return [
    attack("stranger", "SSH without saying which device dials", () =>
      silentTo(place, "SSH-2.0-qf_selftest\r\n"),
    ),
    attack("hello_forged", "a hello by a key that is nobody's", () => silentTo(place, forged())),
    attack("hello_replayed", "the same forged hello a second time", async () => {
      const hello = forged();
      await silentTo(place, hello);
      return silentTo(place, hello);
    }),
    attack("hello_endless", "a hello that never ends", () =>
      silentTo(place, `QUFABRIC/1 ${"A".repeat(8_192)}`),
    ),
    ...EARLY_MESSAGES.map(({ type, name }) =>
      attack(`early_message_${type}`, name, () => earlyMessage(place, type)),
    ),
  ];
}

interface Talk {
  readonly bytes: Buffer;
  readonly isClosed: boolean;
}

/** Whether the machine answers `said`. Rejects when it cannot be reached. */
export async function isAnswered(place: MachinePlace, said: string): Promise<boolean> {
  const isEnough = (got: Buffer): boolean => got.length > 0;
  const { bytes } = await talk(place, (_got, send) => send(said), { afterMs: 0, isEnough });
  return bytes.length > 0;
}

/** The machine must close the connection silently. Skipped on a port that greets strangers with SSH. */
export async function silentTo(place: MachinePlace, said: string): Promise<Verdict> {
  const { bytes, isClosed } = await talk(place, (_got, send) => send(said), {
    afterMs: 0,
    isEnough: (got) => got.length > 0,
  });
  if (bytes.subarray(0, 4).toString("latin1") === "SSH-")
    return { skipped: "this port speaks SSH to anyone" };
  if (bytes.length > 0) return `it answered with ${bytes.length} bytes`;
  return isClosed ? null : "the connection stays open";
}

/** The machine must close the connection and grant nothing. Applies only to a port that greets strangers. */
async function earlyMessage(place: MachinePlace, type: number): Promise<Verdict> {
  let isSsh = false;
  const { bytes, isClosed } = await talk(
    place,
    (got, send) => {
      isSsh = got.subarray(0, 4).toString("latin1") === "SSH-";
      if (isSsh) send(Buffer.concat([Buffer.from("SSH-2.0-qf_selftest\r\n"), packet(type)]));
      return isSsh;
    },
    { afterMs: BANNER_MS, isEnough: (got) => typesIn(got).some((one) => GRANTS.has(one)) },
  );
  if (!isSsh) return { skipped: "this port speaks no SSH to strangers" };
  const granted = typesIn(bytes).find((one) => GRANTS.has(one));
  if (granted !== undefined) return `it was answered with message ${granted}`;
  return isClosed ? null : "the connection stays open";
}

/**
 * Connects, calls `say` with what arrived within `afterMs`, and listens until the end or until it has seen
 * enough.
 */
function talk(
  { host, port }: MachinePlace,
  say: (got: Buffer, send: (data: string | Buffer) => void) => unknown,
  { afterMs, isEnough }: { readonly afterMs: number; readonly isEnough: (got: Buffer) => boolean },
): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    let isOpen = false;
    const socket = connect({ host, port });
    const timers: ReturnType<typeof setTimeout>[] = [];
    const settle = (isClosed: boolean): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts), isClosed });
    };
    timers.push(setTimeout(() => settle(false), END_MS));
    socket.on("connect", () => {
      isOpen = true;
      timers.push(
        setTimeout(() => {
          if (say(Buffer.concat(parts), (data) => void socket.write(data)) === false) settle(false);
        }, afterMs),
      );
    });
    socket.on("data", (part) => {
      size += part.length;
      if (size <= KEPT_BYTES_MAX) parts.push(part);
      if (isEnough(Buffer.concat(parts))) settle(false);
    });
    socket.on("error", (error) => (isOpen ? settle(true) : reject(error)));
    socket.on("end", () => settle(true));
    socket.on("close", () => settle(true));
  });
}

/** A packet in the clear (RFC 4253 section 6) with a body of zeros. */
function packet(type: number): Buffer {
  const payload = Buffer.alloc(32);
  payload[0] = type;
  const padding = 16 - ((5 + payload.length) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** Types of the packets in the clear after the identification line. */
function typesIn(bytes: Buffer): number[] {
  const types: number[] = [];
  let at = bytes.indexOf("\n") + 1;
  while (at + 6 <= bytes.length) {
    types.push(bytes[at + 5] ?? 0);
    at += 4 + bytes.readUInt32BE(at);
  }
  return types;
}
