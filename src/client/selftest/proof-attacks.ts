/**
 * Attacks on proofs: signatures for another purpose or account, replays, forged agent links.
 *
 * @module
 */
import { generateEd25519, signEd25519 } from "../../base/ed25519.ts";
import { parseJson } from "../../base/files.ts";
import { newId, newSecret, sha256 } from "../../base/random.ts";
import type { ClientConfig } from "../../wire/client-config.ts";
import { SETUP_KEY_PREFIX } from "../../wire/secret-kind.ts";
import { type SignaturePurpose, signedBytes } from "../../wire/signed-fields.ts";
import type { Attack, Verdict } from "./attack.ts";

const TIMEOUT_MS = 10_000;
/** How long a forged link is watched. */
const LINK_MS = 8_000;

type Config = Pick<ClientConfig, "accountId" | "origin">;

/** `nowSeconds`: this device's clock. */
export function proofAttacks(url: string, config: Config, nowSeconds: () => number): Attack[] {
  const enrol = (change: Forgery = {}) =>
    forgedEnrolment(url, config, { nowSeconds: nowSeconds(), ...change });
  const attack = (id: string, tried: string, run: () => Promise<Verdict>): Attack => {
    return { id, target: url, tried, run };
  };
  return [
    attack("signature_relabelled", "an enrolment signed for another purpose", async () =>
      statusVerdict(await enrol({ purpose: "sync" })),
    ),
    attack("signature_other_account", "an enrolment signed for another account", async () =>
      statusVerdict(await enrol({ scope: { ...config, accountId: newId() } })),
    ),
    attack("signature_other_server", "an enrolment signed for another server", async () =>
      statusVerdict(await enrol({ scope: { ...config, origin: "https://evil.example" } })),
    ),
    attack("setup_key_guessed", "an enrolment by a setup key that nobody has made", async () =>
      statusVerdict(await enrol()),
    ),
    attack("request_replayed", "the same enrolment a second time", async () => {
      const body = await enrolmentBody(url, config, { nowSeconds: nowSeconds() });
      await post(url, "/client/v1/machines", body);
      return statusVerdict(await post(url, "/client/v1/machines", body));
    }),
    attack("challenge_made_up", "an enrolment over a challenge of its own", async () =>
      statusVerdict(await enrol({ challenge: newSecret("") })),
    ),
    attack("link_forged_identity", "an agent's link by a key that is nobody's", () =>
      forgedLink(url, (challenge) => identify(config, challenge)),
    ),
    attack("link_batch_before_identity", "audit events of a machine that has not proven itself", () =>
      forgedLink(url, () => ({ type: "audit", events: [anEvent(nowSeconds())] })),
    ),
    attack("link_unknown_message", "a message that there is not", () =>
      forgedLink(url, () => ({ type: "become_owner" })),
    ),
  ];
}

interface Forgery {
  readonly purpose?: SignaturePurpose;
  readonly scope?: Config;
  readonly challenge?: string;
}

/** Anything but a refusal is a failure. */
function statusVerdict(status: number): Verdict {
  if (status < 400) return `it was taken: HTTP status ${status}`;
  return status >= 500 && status !== 503 ? `it failed with HTTP status ${status}` : null;
}

async function forgedEnrolment(
  url: string,
  config: Config,
  forgery: Forgery & { readonly nowSeconds: number },
): Promise<number> {
  return post(url, "/client/v1/machines", await enrolmentBody(url, config, forgery));
}

async function enrolmentBody(
  url: string,
  config: Config,
  { purpose = "enrol", scope = config, challenge, nowSeconds }: Forgery & { readonly nowSeconds: number },
): Promise<string> {
  const key = generateEd25519();
  const setupKey = newSecret(SETUP_KEY_PREFIX);
  const name = "qf-selftest";
  const fields = {
    challenge: challenge ?? (await freshChallenge(url)),
    deviceKey: key.publicKey,
    hostKeys: "AAAA",
    name,
    credentialHash: sha256(setupKey),
    timeSeconds: nowSeconds,
  };
  return JSON.stringify({
    challenge: fields.challenge,
    timeSeconds: nowSeconds,
    deviceKey: key.publicKey,
    hostKeys: ["AAAA"],
    credential: { kind: "setup_key", setupKey },
    name,
    facts: { hostname: name, os: "linux", osVersion: "", qfVersion: "0.0.0" },
    deviceSignature: signEd25519(key, signedBytes(purpose, scope, fields)),
  });
}

async function freshChallenge(url: string): Promise<string> {
  const response = await fetch(`${url}/client/v1/challenges`, {
    method: "POST",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { challenge } = (parseJson(await response.text()) ?? {}) as { challenge?: unknown };
  return typeof challenge === "string" ? challenge : newSecret("");
}

async function post(url: string, path: string, body: string): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.text();
  return response.status;
}

/** Messages that management sends only to an authenticated machine. */
const BELIEVED: readonly string[] = ["map", "delta", "outline", "current", "audit_ack", "log", "log_proof"];

/** Opens an agent link, sends `forge(challenge)` after the greeting, and checks that management closes it. */
function forgedLink(url: string, forge: (challenge: string) => object): Promise<Verdict> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/agent/v1/sync`);
  return new Promise((resolve) => {
    const settle = (verdict: Verdict): void => {
      clearTimeout(timer);
      socket.close();
      resolve(verdict);
    };
    const timer = setTimeout(() => settle("the link stays open"), LINK_MS);
    socket.onerror = () => settle({ skipped: "no link could be opened" });
    socket.onclose = () => settle(null);
    socket.onmessage = ({ data }) => {
      const message = (parseJson(String(data)) ?? {}) as { type?: unknown; challenge?: unknown };
      if (message.type === "welcome") socket.send(JSON.stringify(forge(String(message.challenge))));
      else if (BELIEVED.includes(String(message.type))) settle(`it was answered with ${message.type}`);
    };
  });
}

function identify(config: Config, challenge: string): object {
  const key = generateEd25519();
  const peerId = newId();
  const bootId = newId();
  return {
    type: "identify",
    protocolVersion: 1,
    peerId,
    bootId,
    signature: signEd25519(key, signedBytes("sync", config, { challenge, peerId, bootId })),
    ...{ epoch: 0, version: 0, nextAuditSeq: 1, hostKeys: ["AAAA"] },
    facts: { hostname: "qf-selftest", os: "linux", osVersion: "", qfVersion: "0.0.0" },
    flags: FLAGS,
    direct: { addresses: [], port: 0 },
  };
}

const FLAGS = {
  ...{ sshServer: false, sshRoot: false, sshSftp: false, sshLocalForwarding: false },
  ...{ sshRemoteForwarding: false, sshAuth: true, offlineLogins: false, requireIdpBinding: false },
  ...{ privileged: false, ownUser: "" },
};

function anEvent(nowSeconds: number): object {
  const body = { type: "agent.state", what: "started", detail: "qf selftest" };
  return { seq: 1, atMs: nowSeconds * 1000, body };
}
