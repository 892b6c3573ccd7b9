/**
 * An SSH connection to a machine, authenticated on both sides: the host key is one that management named, and
 * we sign in with the certificate issued for this connection or with the device key.
 *
 * The host key check cannot be skipped.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import { isQfError, QfError } from "../base/errors.ts";
import { printable, printableLines } from "../base/printable.ts";
import type { Credential } from "../client/credential.ts";
import { ALGORITHMS, HOST_KEY_ALGORITHMS } from "../sshcore/algorithms.ts";
import { guardClient } from "../sshcore/guard.ts";
import { CLIENT_IDENT } from "../sshcore/ident.ts";
import type { GuardState } from "../sshcore/permitted.ts";
import { ForwardedAgent } from "./agent-forward.ts";
import { AUTH_METHODS, signInWith } from "./client-auth.ts";

/** Time limit for key exchange and sign-in. A machine whose map is behind waits up to 2 s. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Longest text taken from a banner. */
const BANNER_LENGTH_MAX = 4_096;
const FIRST_LINE_LENGTH_MAX = 256;

export interface ConnectOptions {
  /** The stream, with the hello already sent. `connectSsh` takes it over. */
  readonly stream: Duplex;
  readonly credential: Credential;
  readonly localUser: string;
  /** Milliseconds between keepalives. 0: none. */
  readonly keepaliveMs: number;
  readonly keepaliveCountMax: number;
  /** Called with the banner of a machine that accepted us. */
  onBanner(text: string): void;
  /** Socket of the person's SSH agent to offer to sessions that forward it. Absent: none. */
  readonly agentPath?: string | undefined;
  /** Receives ssh2's debug lines, for `-vv`. */
  readonly debug?: (line: string) => void;
  /** Milliseconds for key exchange and sign-in, 1 or more. Default 20000. */
  readonly timeoutMs?: number;
}

export interface Connection {
  readonly client: Client;
  /** Resolves when the transport is gone, with the reason unless we ended it. */
  readonly closed: Promise<QfError | undefined>;
  end(): void;
}

/** Connects. Throws ERR_HOST_KEY_MISMATCH, ERR_ACCESS_DENIED with the machine's sentence, or ERR_SSH. */
export async function connectSsh(options: ConnectOptions): Promise<Connection> {
  const { stream, credential } = options;
  const known = credential.target.hostKeys.map((blob) => Buffer.from(blob, "base64"));
  const types = hostKeyTypes(known);
  if (types.length === 0) {
    stream.destroy();
    throw new QfError("ERR_HOST_KEY_MISMATCH", "management knows no host key of this peer", {
      hint: "look at qf agent status on the peer: it registers its host keys when it connects",
    });
  }
  const client = new Client();
  const watched = watch(client, options, hearFirstLine(stream));
  client.connect({
    sock: stream,
    username: options.localUser,
    ident: CLIENT_IDENT,
    authHandler: [...AUTH_METHODS],
    readyTimeout: options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS,
    keepaliveInterval: options.keepaliveMs,
    keepaliveCountMax: options.keepaliveCountMax,
    algorithms: { ...ALGORITHMS, serverHostKey: types },
    // OpenSSH's extensions, of a server that is not OpenSSH.
    strictVendor: false,
    hostVerifier: (offered: Buffer) => {
      const isKnown = known.some((key) => key.equals(offered));
      watched.isMismatch = !isKnown;
      return isKnown;
    },
    // With `authHandler` set, it is not used for signing in.
    ...(options.agentPath === undefined ? {} : { agent: new ForwardedAgent(options.agentPath) }),
    ...(options.debug === undefined ? {} : { debug: options.debug }),
  } as ConnectConfig);
  const guard = guardClient(client);
  watched.stage = () => STAGES[guard.state];
  signInWith(client, {
    key: credential.target.machineIdentity ? credential.deviceKey : credential.loginKey,
    certificateBlob: credential.target.machineIdentity ? null : credential.certificateBlob,
  });
  await watched.ready;
  return {
    client,
    closed: watched.closed,
    end: () => {
      watched.isEnding = true;
      client.end();
    },
  };
}

interface Watched {
  readonly ready: Promise<void>;
  readonly closed: Promise<QfError | undefined>;
  /** The host key was not a known one. */
  isMismatch: boolean;
  /** We are ending the connection, so its loss is not a failure. */
  isEnding: boolean;
  /** The current stage, to follow "while". */
  stage: () => string;
}

const STAGES: Readonly<Record<GuardState, string>> = {
  first: "it was to say which algorithms it has",
  kex: "keys were exchanged",
  newkeys: "keys were exchanged",
  keyed: "the sign-in was to begin",
  service: "the sign-in was to begin",
  auth: "the sign-in was decided",
  prompted: "the sign-in was decided",
  open: "it was in use",
  rekey: "keys were exchanged again",
  "rekey-newkeys": "keys were exchanged again",
};

/** Turns ssh2's events into two outcomes: signed in or why not, and closed or why. */
function watch(client: Client, { credential, onBanner }: ConnectOptions, firstLine: () => string): Watched {
  const ready = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<QfError | undefined>();
  const watched: Watched = {
    ready: ready.promise,
    closed: closed.promise,
    isMismatch: false,
    isEnding: false,
    stage: () => STAGES.first,
  };
  const banners: string[] = [];
  let isReady = false;
  let failure: QfError | undefined;
  client.on("banner", (text) => {
    if (isReady) onBanner(printableLines(text.slice(0, BANNER_LENGTH_MAX)));
    else banners.push(text.slice(0, BANNER_LENGTH_MAX));
  });
  client.on("ready", () => {
    isReady = true;
    for (const banner of banners) onBanner(printableLines(banner));
    ready.resolve();
  });
  client.on("error", (error) => {
    failure ??= watched.isMismatch
      ? hostKeyMismatch(credential)
      : failureOf(error, isReady ? [] : banners, firstLine(), watched.stage());
    ready.reject(failure);
  });
  client.on("close", () => {
    const reason = failure ?? failureOf(undefined, isReady ? [] : banners, firstLine(), watched.stage());
    ready.reject(reason);
    closed.resolve(watched.isEnding ? undefined : reason);
  });
  return watched;
}

/** The peer's first line; "" once it is an SSH identification. */
function hearFirstLine(stream: Duplex): () => string {
  let text = "";
  const hear = (data: Buffer): void => {
    text = (text + data.toString("latin1")).slice(0, FIRST_LINE_LENGTH_MAX);
    if (text.startsWith("SSH-") || text.includes("\n") || text.length === FIRST_LINE_LENGTH_MAX) {
      stream.off("data", hear);
    }
  };
  stream.on("data", hear);
  // ssh2 listens only once its own parts are there, and lets the stream flow then: till then nothing may.
  stream.pause();
  return () => (text.startsWith("SSH-") ? "" : printable(text.split("\n", 1)[0] ?? "").trim());
}

/** Types of the known keys, so that no other is negotiated. */
function hostKeyTypes(known: readonly Buffer[]): (typeof HOST_KEY_ALGORITHMS)[number][] {
  const types = known.map((blob) =>
    blob.length > 4 ? blob.toString("latin1", 4, 4 + blob.readUInt32BE(0)) : "",
  );
  return HOST_KEY_ALGORITHMS.filter((type) => types.includes(type));
}

function hostKeyMismatch(credential: Credential): QfError {
  return new QfError(
    "ERR_HOST_KEY_MISMATCH",
    `the host key of ${credential.target.name} is not the one that management knows`,
    {
      hint: "somebody may be in between; nothing was sent. Ask the peer's administrator to compare the keys",
    },
  );
}

/** The machine's own sentence if it sent one, otherwise the kind of failure. */
function failureOf(
  error: (Error & { level?: string }) | undefined,
  banners: readonly string[],
  firstLine: string,
  stage: string,
): QfError {
  const sentence = printable(banners.join(" "));
  const options = error === undefined ? {} : { cause: error };
  if (firstLine !== "") {
    return new QfError("ERR_SSH", `the peer takes no connection: ${firstLine}`, {
      ...options,
      hint: "too many sign-ins of this device have failed there: wait some minutes, then try again",
    });
  }
  if (sentence !== "") return new QfError("ERR_ACCESS_DENIED", sentence, options);
  // The stream's own failure explains itself.
  if (isQfError(error)) return new QfError("ERR_SSH", error.message, options);
  if (error?.level === "client-authentication") {
    return new QfError("ERR_ACCESS_DENIED", "Authentication failed", {
      ...options,
      hint: "try again; if it stays, sign in again with qf login",
    });
  }
  if (error?.level === "client-timeout") {
    return new QfError(
      "ERR_SSH",
      error.message.includes("handshake") ? "Connection timeout" : "the peer went away",
      {
        ...options,
        hint: `it was silent while ${stage}: check the network between here and the peer`,
      },
    );
  }
  if (error !== undefined && "code" in error && typeof error.code === "number") {
    // An SSH disconnect message with the machine's reason.
    return new QfError("ERR_SSH", printable(error.message).slice(0, 500), options);
  }
  return new QfError("ERR_SSH", "the connection to the peer was lost", options);
}
