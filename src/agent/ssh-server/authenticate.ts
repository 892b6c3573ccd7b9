/**
 * Userauth requests of one connection (RFC 4252): which are answered, which are decided, and what
 * a refusal looks like.
 *
 * An unsigned query is answered for any well-formed certificate of a CA in force, and nothing else is
 * computed for it. Only `publickey` is taken. This is where a denial becomes a banner.
 *
 * @module
 */
import type { AuthContext, PublicKeyAuthContext } from "ssh2";
import { isPlausible } from "../../certificate/verify.ts";
import { denialLine, UNPROVEN_SENTENCE } from "../../policy/sentences.ts";
import { DISCONNECT } from "../../sshcore/messages.ts";
import type { ServerDoor } from "../../sshcore/server-door.ts";
import { CERTIFICATE_KEY_TYPE } from "../../wire/certificate.ts";
import type { Grant, ReasonCode } from "../../wire/decision.ts";
import type { StreamOrigin, World } from "../world.ts";
import { type Admission, type AdmissionRequest, type AuthResult, admit } from "./admit.ts";

export interface AuthenticatorOptions {
  readonly world: World;
  readonly origin: StreamOrigin;
  readonly connectionId: string;
  readonly clientVersion: string;
  /** Refused keys before the connection ends. */
  readonly triesMax: number;
  readonly door: ServerDoor;
  takePlace(key: string): boolean;
  /** Nobody came in by the request that was being decided. */
  onNotAdmitted(): void;
  onUnproven(reason: ReasonCode): void;
  /** Somebody is in; `accept` tells the client so. */
  onAdmitted(auth: AuthResult, grant: Grant, accept: () => void): void;
  /** The client had its answer and should be gone soon. */
  onRefused(text: string): void;
}

export interface Authenticator {
  onRequest(context: AuthContext): void;
  /** True while a signed request is being decided. */
  readonly isDeciding: boolean;
}

/** As much of ssh2's context as its types leave out. */
type KeyRequest = PublicKeyAuthContext & { readonly blob?: Buffer };
const DEVICE_KEY_TYPE = "ssh-ed25519";
const METHODS_LEFT = ["publickey" as const];

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  let tries = 0;
  let isDeciding = false;
  let isOver = false;

  function refuseTry(context: AuthContext): void {
    context.reject(METHODS_LEFT);
    if (++tries < options.triesMax) return;
    isOver = true;
    options.onUnproven("certificate_invalid");
    options.door.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, "Too many authentication failures");
    options.onRefused("");
  }

  async function decide(context: KeyRequest, request: AdmissionRequest): Promise<void> {
    const admission = await admitSafely(options.world, request);
    isDeciding = false;
    if (admission.kind === "admitted") {
      isOver = true;
      options.onAdmitted(admission.auth, admission.grant, () => context.accept());
      return;
    }
    options.onNotAdmitted();
    if (admission.kind === "unproven") {
      options.onUnproven(admission.reason);
      options.door.sendBanner(UNPROVEN_SENTENCE);
      refuseTry(context);
      return;
    }
    isOver = true;
    options.door.sendBanner(denialLine(admission.reason, admission.receipt));
    // ssh(1) leaves by itself now, with words of its own; who stays is shown out.
    context.reject(METHODS_LEFT);
    options.onRefused("Access denied");
  }

  return {
    get isDeciding() {
      return isDeciding;
    },
    onRequest(context) {
      // "none" is how a client asks what there is: it costs no try. Who was refused has no more tries.
      if (context.method === "none" || isOver) {
        context.reject(METHODS_LEFT);
        return;
      }
      const request = context.method === "publickey" ? (context as KeyRequest) : null;
      const credential = request === null ? null : credentialOf(options, request);
      if (request === null || credential === null || isDeciding) {
        if (request?.signature !== undefined) options.door.sendBanner(UNPROVEN_SENTENCE);
        refuseTry(context);
      }
      // Unsigned: a query, answered without deciding anything (CVE-2024-45337).
      else if (request.signature === undefined || request.blob === undefined) context.accept();
      else {
        isDeciding = true;
        void decide(request, admissionRequest(options, request, credential));
      }
    },
  };
}

/** What kind of key this is, when it is one that could be taken here at all. */
function credentialOf({ world, origin }: AuthenticatorOptions, { key }: KeyRequest): "user" | "peer" | null {
  const map = world.snapshot()?.map;
  if (map === undefined) return null;
  if (key.algo === CERTIFICATE_KEY_TYPE) return isPlausible(key.data, Object.values(map.cas)) ? "user" : null;
  const isMachine = key.algo === DEVICE_KEY_TYPE && !world.sshAuth() && origin.sourcePeerId !== null;
  return isMachine ? "peer" : null;
}

function admissionRequest(
  options: AuthenticatorOptions,
  context: KeyRequest,
  credential: "user" | "peer",
): AdmissionRequest {
  const { origin, connectionId, clientVersion, takePlace } = options;
  return {
    origin,
    connectionId,
    clientVersion,
    credential,
    takePlace,
    signed: {
      localUser: context.username,
      keyBlob: context.key.data,
      signature: context.signature ?? Buffer.alloc(0),
      signedData: context.blob ?? Buffer.alloc(0),
      sourcePeerId: origin.sourcePeerId,
    },
  };
}

/** A bug of ours must not let anybody in, nor leave a client without an answer. */
async function admitSafely(world: World, request: AdmissionRequest): Promise<Admission> {
  try {
    return await admit(world, request);
  } catch (cause) {
    world.log.error("a sign-in failed", { connectionId: request.connectionId }, cause);
    return { kind: "unproven", reason: "certificate_invalid" };
  }
}
