/**
 * Attacks on streams to a machine that this device may reach: hellos replayed, relabelled or made for others,
 * at its port and through the relay, and frames beyond what a stream may carry.
 *
 * Streams carry pings, so nobody is signed in, and each is ended before the next begins.
 *
 * @module
 */
import { signEd25519 } from "../../base/ed25519.ts";
import { newId } from "../../base/random.ts";
import { makeHello, parseHello } from "../../fabric/hello.ts";
import { signRelayDial } from "../../fabric/relay-client.ts";
import { HELLO_PREFIX, PING_PORT } from "../../wire/hello.ts";
import { SSH_ENDPOINT_PORT } from "../../wire/ports.ts";
import {
  creditFrame,
  encodeRelayFrame,
  RELAY_CLIENT_PATH,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_FRAME,
  RELAY_HELLO_HEADER,
  RELAY_PROOF_HEADER,
} from "../../wire/relay.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { Attack, Verdict } from "./attack.ts";
import { isAnswered, type MachinePlace, silentTo } from "./machine-attacks.ts";
import {
  claimedLink,
  type OwnDevice,
  type RelayAttackOptions,
  refusedSocket,
  talkToRelay,
} from "./relay-attacks.ts";

/** Older than any clock may be wrong. */
const STALE_SECONDS = 3_600;
/** A port that no hello may name. */
const OTHER_PORT = 80;

/** A machine that this device may reach. */
export interface ReachableMachine {
  readonly peerId: string;
  /** Addresses of its port. */
  readonly direct: readonly string[];
}

export interface StreamAttackOptions extends RelayAttackOptions {
  /** Null: none was named. */
  readonly machine: ReachableMachine | null;
}

/** `url`: where management is reached. */
export function streamAttacks(url: string, options: StreamAttackOptions): Attack[] {
  const { device, machine } = options;
  const streams =
    device === null || machine === null ? null : new Streams(url, { ...options, device, machine });
  const attack = (id: string, tried: string, run: (on: Streams) => Promise<Verdict>): Attack => ({
    ...{ id, target: url, tried },
    run: async () =>
      streams === null
        ? { skipped: "it wants a machine that this registered device may reach: --stream-to" }
        : run(streams),
  });
  const relayed = FORGED.map(([id, what, change]) =>
    attack(`relayed_hello_${id}`, `a relayed stream with ${what}`, (on) => on.refusedByRelay(change)),
  );
  const direct = FORGED.map(([id, what, change]) =>
    attack(`direct_hello_${id}`, `a stream to the machine's port with ${what}`, (on) =>
      on.refusedByMachine(change),
    ),
  );
  const frames = FRAMES.map(([id, what, frame]) =>
    attack(`relay_frame_${id}`, `a relayed stream that sends ${what}`, (on) => on.endedAfter(frame())),
  );
  return [
    ...relayed,
    attack("relayed_hello_replayed", "the hello of a relayed stream a second time", (on) =>
      on.replayedByRelay(),
    ),
    attack("relay_link_claimed", "the machine's relay link, by this device's key", (on) => on.claimedLink()),
    ...direct,
    attack("direct_hello_replayed", "the hello of a relayed stream at the machine's port", (on) =>
      on.replayedAtMachine(),
    ),
    ...frames,
  ];
}

/** A change of an honest hello, which its target must not take. */
interface HelloForgery {
  readonly target?: string;
  readonly port?: number;
  readonly ageSeconds?: number;
  /** Signed for another purpose. */
  readonly isRelabelled?: boolean;
  /** Another time than the one that was signed. */
  readonly isAltered?: boolean;
}

const FORGED: readonly (readonly [id: string, what: string, change: HelloForgery])[] = [
  ["other_target", "a hello for another machine", { target: newId() }],
  ["other_port", "a hello for a port that is none of SSH", { port: OTHER_PORT }],
  ["stale", "a hello of an hour ago", { ageSeconds: STALE_SECONDS }],
  ["relabelled", "a hello signed for another purpose", { isRelabelled: true }],
  ["altered", "a hello changed after it was signed", { isAltered: true }],
];

const FRAMES: readonly (readonly [id: string, what: string, frame: () => string | Buffer])[] = [
  [
    "open",
    "the frame by which only the relay opens streams",
    () => encodeRelayFrame(RELAY_FRAME.open, 0, Buffer.from("{}")),
  ],
  ["other_stream", "data for another stream", () => encodeRelayFrame(RELAY_FRAME.data, 7, Buffer.from("x"))],
  [
    "over_credit",
    "more than it was granted",
    () => encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(2 * RELAY_CREDIT_INITIAL)),
  ],
  ["over_grant", "a grant over the bound of a stream", () => creditFrame(0, 2 * RELAY_CREDIT_MAX)],
  [
    "unknown",
    "a frame that there is not",
    () => encodeRelayFrame(99 as typeof RELAY_FRAME.data, 0, Buffer.from("x")),
  ],
  ["text", "text in place of a frame", () => "become owner"],
];

class Streams {
  readonly #url: string;
  readonly #options: RelayAttackOptions & { readonly device: OwnDevice; readonly machine: ReachableMachine };
  #found: Promise<MachinePlace | null> | null = null;

  constructor(
    url: string,
    options: RelayAttackOptions & { readonly device: OwnDevice; readonly machine: ReachableMachine },
  ) {
    this.#url = url;
    this.#options = options;
  }

  refusedByRelay(change: HelloForgery): Promise<Verdict> {
    return refusedSocket(this.#url, RELAY_CLIENT_PATH, this.#headers(this.#hello(change)));
  }

  async refusedByMachine(change: HelloForgery): Promise<Verdict> {
    const place = await this.#place();
    return place === null ? NO_PORT : silentTo(place, `${this.#hello(change)}\n`);
  }

  claimedLink(): Promise<Verdict> {
    return claimedLink(this.#url, this.#options, this.#options.machine.peerId);
  }

  async replayedByRelay(): Promise<Verdict> {
    const hello = this.#hello();
    const headers = this.#headers(hello);
    if (!(await this.#isAnswered(headers))) return NO_ANSWER;
    return refusedSocket(this.#url, RELAY_CLIENT_PATH, headers);
  }

  async replayedAtMachine(): Promise<Verdict> {
    const place = await this.#place();
    if (place === null) return NO_PORT;
    const hello = this.#hello();
    if (!(await this.#isAnswered(this.#headers(hello)))) return NO_ANSWER;
    return silentTo(place, `${hello}\n`);
  }

  /** Sends `message` on an answered stream. The relay must end that, and pass nothing on. */
  async endedAfter(message: string | Buffer): Promise<Verdict> {
    let isSaid = false;
    const { bytes, reset, isClosed } = await talkToRelay(this.#url, RELAY_CLIENT_PATH, {
      headers: this.#headers(this.#hello()),
      onData: (send) => {
        if (!isSaid) send(message);
        isSaid = true;
      },
      isEnough: (heard) => heard.reset !== null,
    });
    if (bytes === 0) return NO_ANSWER;
    // `gone`: the machine has ended the stream, so it had received something.
    if (reset !== null && reset !== "violation") return `it was passed on, and ended with ${reset}`;
    return isClosed || reset !== null ? null : "the stream stays open";
  }

  /** Whether the machine answers a stream with these headers through the relay. */
  async #isAnswered(headers: Record<string, string>): Promise<boolean> {
    const isEnough = ({ bytes, reset }: { bytes: number; reset: unknown }) => bytes > 0 || reset !== null;
    return (await talkToRelay(this.#url, RELAY_CLIENT_PATH, { headers, isEnough })).bytes > 0;
  }

  #headers(hello: string): Record<string, string> {
    const { device, scope } = this.#options;
    const proof = signRelayDial(device.deviceKey, scope, hello);
    return { [RELAY_HELLO_HEADER]: hello, [RELAY_PROOF_HEADER]: proof };
  }

  /** A hello without its newline. */
  #hello({ target, port, ageSeconds = 0, isRelabelled, isAltered }: HelloForgery = {}): string {
    const { device, machine, scope, nowSeconds } = this.#options;
    const { deviceKey, peerId: source } = device;
    const line = makeHello({
      ...{ deviceKey, scope, source, target: target ?? machine.peerId, port: port ?? PING_PORT },
      nowSeconds: nowSeconds() - ageSeconds,
    }).trimEnd();
    const parsed = parseHello(line);
    if (parsed === null || (isRelabelled !== true && isAltered !== true)) return line;
    const { hello, signature } = parsed;
    const signed = isRelabelled
      ? signEd25519(deviceKey, signedBytes("relay", scope, { hello: line }))
      : signature;
    const shown = isAltered ? { ...hello, timeSeconds: hello.timeSeconds + 1 } : hello;
    return `${HELLO_PREFIX}${Buffer.from(JSON.stringify(shown)).toString("base64url")} ${signed}`;
  }

  /** The machine's port, if an honest stream is answered there. */
  #place(): Promise<MachinePlace | null> {
    this.#found ??= this.#find();
    return this.#found;
  }

  async #find(): Promise<MachinePlace | null> {
    for (const address of this.#options.machine.direct) {
      const place = placeOf(address, SSH_ENDPOINT_PORT);
      if (await isAnswered(place, `${this.#hello()}\n`).catch(() => false)) return place;
    }
    return null;
  }
}

/** `HOST:PORT`, or a host without a port. */
function placeOf(address: string, port: number): MachinePlace {
  const [, host = address, given] = /^(\[.*\]|[^:]*):(\d+)$/.exec(address) ?? [];
  return { host: host.replace(/^\[|\]$/g, ""), port: given === undefined ? port : Number(given) };
}

const NO_PORT = { skipped: "the machine's port does not answer this device" };
const NO_ANSWER = { skipped: "the machine does not answer through the relay" };
