/**
 * Enrols this machine in an account, by setup key, by a person's login, or again by its own key.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../../base/ed25519.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import type { ClientApi } from "../../client/client-api.ts";
import { proofHash } from "../../client/device.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { LoginProof } from "../../wire/client-api.ts";
import type { ClientConfig } from "../../wire/client-config.ts";
import type { EnrolRequest, EnrolResponse } from "../../wire/enrolment.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import { kindOfSecret, nameOfSecret, SETUP_KEY_PREFIX } from "../../wire/secret-kind.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { AgentKeys } from "../state/state.ts";
import { machineFacts, machineName } from "./facts.ts";

/** Has a person sign in for this machine. Only used without a setup key. */
export type SignInForMachine = (
  api: ClientApi,
  config: ClientConfig,
) => Promise<{ readonly loginKey: Ed25519Key; readonly proof: LoginProof }>;

export interface EnrolOptions {
  readonly api: ClientApi;
  readonly clock: Clock;
  readonly keys: AgentKeys;
  /** Requested name. Null: this machine's host name. */
  readonly name: string | null;
  readonly setupKey: string | undefined;
  readonly signIn: SignInForMachine | undefined;
  /** Present content of `agent.json`. */
  readonly enrolled: Enrolled | undefined;
}

/**
 * The machine's place in the account, and the account's log. Undefined: an older management that does not
 * send it.
 */
export interface Enrolment {
  readonly place: Enrolled;
  readonly log: ServedLog | undefined;
}

/**
 * Enrols, or finds the machine's peer again by its device key. Throws ERR_NOT_ENROLLED without a way to
 * enrol, and management's own errors.
 */
export async function enrol(options: EnrolOptions): Promise<Enrolment> {
  const { api, enrolled } = options;
  const config = await api.config();
  const isKnown = enrolled?.accountId === config.accountId && enrolled.origin === config.origin;
  if (isKnown || (options.setupKey === undefined && options.signIn === undefined)) {
    try {
      return await send(options, config, { kind: "device_key" }, "");
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
    }
  }
  if (options.setupKey !== undefined) {
    const { setupKey } = options;
    checkSetupKey(setupKey);
    try {
      return await send(options, config, { kind: "setup_key", setupKey }, sha256(setupKey));
    } catch (error) {
      // Management knows the key; only the local record of it was lost.
      if (!isQfError(error, "ERR_CONFLICT")) throw error;
      return await send(options, config, { kind: "device_key" }, "");
    }
  }
  if (options.signIn === undefined) throw nothingToEnrolWith(api.origin);
  const { loginKey, proof } = await options.signIn(api, config);
  return await send(options, config, { kind: "login", loginKey, proof }, proofHash(proof));
}

/** Format that management accepts. Keys from other products are UUIDs. */
const SETUP_KEY = /^[\x21-\x7e]{8,128}$/;

/** Throws ERR_USAGE for an impossible key before it is sent. */
function checkSetupKey(given: string): void {
  const kind = kindOfSecret(given);
  const isToken = kind === "api_token" || kind === "ssh_token";
  if (SETUP_KEY.test(given) && !isToken) return;
  const what = isToken ? `is ${nameOfSecret(kind)}` : "is none";
  throw new QfError("ERR_USAGE", `what is given as the setup key ${what}`, {
    hint: `it begins with ${SETUP_KEY_PREFIX}, and an administrator makes one: qf setup-key create NAME`,
  });
}

type Credential =
  | { readonly kind: "device_key" }
  | { readonly kind: "setup_key"; readonly setupKey: string }
  | { readonly kind: "login"; readonly loginKey: Ed25519Key; readonly proof: LoginProof };

async function send(
  { api, clock, keys, name }: EnrolOptions,
  config: ClientConfig,
  credential: Credential,
  hash: string,
): Promise<Enrolment> {
  const { challenge } = await api.challenge();
  const wanted = machineName(name);
  const timeSeconds = nowSeconds(clock);
  const bytes = signedBytes(
    "enrol",
    { accountId: config.accountId, origin: config.origin },
    {
      challenge,
      deviceKey: keys.deviceKey.publicKey,
      hostKeys: keys.hostKeyBlobs.join(" "),
      name: wanted,
      credentialHash: hash === "" ? sha256("") : hash,
      timeSeconds,
    },
  );
  const request: EnrolRequest = {
    challenge,
    timeSeconds,
    deviceKey: keys.deviceKey.publicKey,
    hostKeys: keys.hostKeyBlobs,
    credential:
      credential.kind === "login"
        ? {
            kind: "login",
            loginKey: credential.loginKey.publicKey,
            proof: credential.proof,
            loginSignature: signEd25519(credential.loginKey, bytes),
          }
        : credential,
    name: wanted,
    facts: machineFacts(wanted),
    deviceSignature: signEd25519(keys.deviceKey, bytes),
  };
  return checkAnswer(await api.enrolMachine(request), config);
}

/** With an answer for another account or origin, this machine would sign for that one from now on. */
function checkAnswer(answer: EnrolResponse, config: ClientConfig): Enrolment {
  const { accountId, origin, peerId, name, domain, address, log } = answer;
  if (accountId !== config.accountId || origin !== config.origin) {
    throw new QfError("ERR_UNAVAILABLE", "management answered the enrolment for another account");
  }
  return { place: { accountId, origin, peerId, name, domain, address }, log };
}

function isUnknownKey(error: unknown): boolean {
  return (
    isQfError(error, "ERR_UNAUTHENTICATED") ||
    isQfError(error, "ERR_NOT_FOUND") ||
    isQfError(error, "ERR_NOT_ENROLLED") ||
    isQfError(error, "ERR_PEER_UNKNOWN")
  );
}

function nothingToEnrolWith(origin: string): QfError {
  return new QfError("ERR_NOT_ENROLLED", `this machine is not enrolled at ${origin}`, {
    hint: "give --setup-key-file, or run qf agent up at a terminal to sign in",
  });
}
