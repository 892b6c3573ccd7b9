/**
 * An SSH connection to a machine, proven on both sides: the host key is one that management names, and
 * we sign in with the certificate made for this connection, or with the device key.
 *
 * There is no way around the host key check.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import { VERSION } from "../base/build-info.ts";
import { QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { Credential } from "../identity/credential.ts";
import { AUTH_METHODS, signInWith } from "./client-auth.ts";

/** Longest for key exchange and sign-in; a map that is behind makes the machine wait up to 2 s. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Longest text taken from a banner. */
const BANNER_LENGTH_MAX = 4_096;

/** Pinned: nothing older is offered. */
const ALGORITHMS = {
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org"],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} satisfies ConnectConfig["algorithms"];
const HOST_KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;

export interface ConnectOptions {
  /** On which the hello is already sent. Taken over. */
  readonly stream: Duplex;
  readonly credential: Credential;
  readonly localUser: string;
  /** Milliseconds between keepalives. 0: none. */
  readonly keepaliveMs: number;
  readonly keepaliveCountMax: number;
  /** A banner of a machine that let us in. */
  onBanner(text: string): void;
  /** What ssh2 has to say about itself, for `-vv`. */
  readonly debug?: (line: string) => void;
}

export interface Connection {
  readonly client: Client;
  /** Settles when the transport is gone: with the reason, unless we ended it. */
  readonly closed: Promise<QfError | undefined>;
  end(): void;
}

/** Connects. Throws ERR_HOST_KEY_MISMATCH, ERR_ACCESS_DENIED with the machine's sentence, or ERR_SSH. */
export async function connectSsh(options: ConnectOptions): Promise<Connection> {
  const { stream, credential, localUser } = options;
  const client = new Client();
  const known = credential.target.hostKeys.map((blob) => Buffer.from(blob, "base64"));
  const types = hostKeyTypes(known);
  if (types.length === 0) {
    stream.destroy();
    throw new QfError("ERR_HOST_KEY_MISMATCH", "management knows no host key of this peer", {
      hint: "look at qf agent status on the peer: it registers its host keys when it connects",
    });
  }
  const banners: string[] = [];
  let isReady = false;
  let failure: QfError | undefined;
  let isMismatch = false;
  let isEnding = false;
  const closed = Promise.withResolvers<QfError | undefined>();
  client.on("banner", (text) => {
    if (isReady) options.onBanner(text);
    else banners.push(text.slice(0, BANNER_LENGTH_MAX));
  });
  client.on("close", () => closed.resolve(isEnding ? undefined : (failure ?? failureOf(undefined, []))));
  const ready = new Promise<void>((resolve, reject) => {
    client.on("ready", () => {
      isReady = true;
      for (const banner of banners) options.onBanner(banner);
      resolve();
    });
    client.on("error", (error) => {
      failure ??= isMismatch ? hostKeyMismatch(credential) : failureOf(error, isReady ? [] : banners);
      reject(failure);
    });
    client.on("close", () => reject(failure ?? failureOf(undefined, banners)));
  });
  client.connect({
    sock: stream,
    username: localUser,
    ident: `QuFabric_${VERSION}`,
    authHandler: [...AUTH_METHODS],
    readyTimeout: HANDSHAKE_TIMEOUT_MS,
    keepaliveInterval: options.keepaliveMs,
    keepaliveCountMax: options.keepaliveCountMax,
    algorithms: { ...ALGORITHMS, serverHostKey: types },
    hostVerifier: (offered: Buffer) => {
      const isKnown = known.some((key) => key.equals(offered));
      isMismatch = !isKnown;
      return isKnown;
    },
    ...(options.debug === undefined ? {} : { debug: options.debug }),
  } as ConnectConfig);
  signInWith(client, {
    key: credential.target.machineIdentity ? credential.deviceKey : credential.loginKey,
    certificateBlob: credential.target.machineIdentity ? null : credential.certificateBlob,
  });
  stream.resume();
  await ready;
  return {
    client,
    closed: closed.promise,
    end: () => {
      isEnding = true;
      client.end();
    },
  };
}

/** Types of the keys that are known, so that no other is negotiated. */
function hostKeyTypes(known: readonly Buffer[]): (typeof HOST_KEY_TYPES)[number][] {
  const types = known.map((blob) =>
    blob.length > 4 ? blob.toString("latin1", 4, 4 + blob.readUInt32BE(0)) : "",
  );
  return HOST_KEY_TYPES.filter((type) => types.includes(type));
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

/** The machine's own sentence where it gave one; else what kind of failure it was. */
function failureOf(error: (Error & { level?: string }) | undefined, banners: readonly string[]): QfError {
  const sentence = printable(banners.join(" "));
  const options = error === undefined ? {} : { cause: error };
  if (sentence !== "") return new QfError("ERR_ACCESS_DENIED", sentence, options);
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
        hint: "check the network between here and the peer",
      },
    );
  }
  if (error !== undefined && "code" in error && typeof error.code === "number") {
    // An SSH disconnect message: the machine says why.
    return new QfError("ERR_SSH", printable(error.message).slice(0, 500), options);
  }
  return new QfError("ERR_SSH", "the connection to the peer was lost", options);
}
