/**
 * Userauth requests of one connection (RFC 4252): which are answered, which are decided, and what
 * a refusal looks like.
 *
 * An unsigned query is answered for any well-formed certificate of a CA in force, or of its own key with
 * `--allow-offline-logins`, and nothing else is computed for it. `publickey` is taken, and where there was
 * no hello `keyboard-interactive`, by an approval (`approve.ts`). This is where a denial becomes a banner.
 *
 * @module
 */
import type { AuthContext, PublicKeyAuthContext } from "ssh2";
import { isSelfSigned } from "../../certificate/offline.ts";
import { isPlausible } from "../../certificate/verify.ts";
import { denialLine, UNPROVEN_SENTENCE } from "../../policy/sentences.ts";
import { DISCONNECT } from "../../sshcore/messages.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import { CERTIFICATE_KEY_TYPE } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { type Admission, type AdmissionRequest, type AuthResult, admit } from "./admit.ts";
import { createApprover, mayApprove } from "./approve.ts";
import { proveApproved, provePeer, proveUser } from "./proof.ts";
import type { SignedRequest } from "./proof-outcome.ts";

export interface AuthenticatorOptions {
  readonly serverContext: ServerContext;
  readonly origin: StreamOrigin;
  readonly connectionId: string;
  readonly clientVersion: string;
  /** Refused keys before the connection ends. */
  readonly triesMax: number;
  readonly transport: SshTransport;
  takePlace(key: string): boolean;
  checkAccount: AdmissionRequest["checkAccount"];
  /** The request that was being decided let nobody in. */
  onNotAdmitted(): void;
  onUnproven(reason: ReasonCode): void;
  /** Somebody is let in; `accept` tells the client. */
  onAdmitted(auth: AuthResult, accept: () => void): void;
  /** The client has had its last answer, and the connection should end. `text`: for the disconnect. */
  onRefused(text: string): void;
  /** Takes a place among connections that wait for a person's approval. Null: there is none left. */
  takePending(): (() => void) | null;
  /** Gives so many milliseconds from now to sign in. */
  extendGrace(ms: number): void;
}

export interface Authenticator {
  onRequest(context: AuthContext): void;
  /** True while a signed request is being decided. */
  readonly isDeciding: boolean;
  /**
   * What all requests so far came to: `failed`, nobody was proven; `refused`, a proven person may not come
   * in.
   */
  readonly outcome: "none" | "failed" | "refused";
  /** The connection is gone. */
  end(): void;
}

/** As much of ssh2's context as its types leave out. */
type KeyRequest = PublicKeyAuthContext & { readonly blob?: Buffer };
const DEVICE_KEY_TYPE = "ssh-ed25519";
/** Also what is left of them when a person was refused: nobody needs to be asked again. */
const METHODS_LEFT = ["publickey" as const];

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  let tries = 0;
  let isDeciding = false;
  let isOver = false;
  let outcome: Authenticator["outcome"] = "none";

  const { origin } = options;

  function refuseTry(context: AuthContext): void {
    outcome = "failed";
    context.reject(methodsOf(options));
    if (++tries < options.triesMax) return;
    isOver = true;
    options.onUnproven("certificate_invalid");
    options.transport.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, "Too many authentication failures");
    options.onRefused("");
  }

  const approver = createApprover({
    ...options,
    onApproved(context, identity) {
      isDeciding = true;
      const request = { localUser: context.username, prove: () => proveApproved(identity) };
      void decide(context, request, (line) => approver.refuse(context, line));
    },
    onRefused(context) {
      isOver = true;
      if (outcome === "none") outcome = "failed";
      context.reject(METHODS_LEFT);
      options.onRefused("Access denied");
    },
  });

  async function decide(
    context: AuthContext,
    asked: Pick<AdmissionRequest, "localUser" | "prove">,
    deny: (line: string) => void,
  ): Promise<void> {
    const { origin, connectionId, clientVersion, takePlace, checkAccount } = options;
    const request: AdmissionRequest = {
      origin,
      connectionId,
      clientVersion,
      takePlace,
      checkAccount,
      ...asked,
    };
    const admission = await admitSafely(options.serverContext, request);
    isDeciding = false;
    if (admission.kind === "admitted") {
      isOver = true;
      approver.end();
      options.onAdmitted(admission.auth, () => context.accept());
      return;
    }
    options.onNotAdmitted();
    if (admission.kind === "unproven") {
      options.onUnproven(admission.reason);
      options.transport.sendBanner(UNPROVEN_SENTENCE);
      refuseTry(context);
      return;
    }
    isOver = true;
    outcome = "refused";
    const line = denialLine(admission.reason, admission.receipt);
    deny(admission.text === undefined || admission.text === "" ? line : `${line}\n${admission.text}`);
  }

  function denyByBanner(context: AuthContext, line: string): void {
    options.transport.sendBanner(line);
    // ssh(1) leaves by itself now, with words of its own; who stays is shown out.
    context.reject(METHODS_LEFT);
    options.onRefused("Access denied");
  }

  return {
    get isDeciding() {
      return isDeciding;
    },
    get outcome() {
      return outcome;
    },
    onRequest(context) {
      // "none" is how a client asks what there is: it costs no try. Who was refused has no more tries.
      if (context.method === "none" || isOver) {
        context.reject(isOver ? METHODS_LEFT : methodsOf(options));
        return;
      }
      if (
        context.method === "keyboard-interactive" &&
        !isDeciding &&
        mayApprove(options.serverContext, origin)
      ) {
        approver.begin(context);
        return;
      }
      const request = context.method === "publickey" ? (context as KeyRequest) : null;
      const credential = request === null ? null : credentialOf(options, request);
      if (request === null || credential === null || isDeciding) {
        if (request?.signature !== undefined) options.transport.sendBanner(UNPROVEN_SENTENCE);
        // A stock client asks about every key it has before it asks its person.
        if (request !== null && request.signature === undefined && origin.path === "plain") {
          if (outcome === "none") outcome = "failed";
          context.reject(methodsOf(options));
        } else refuseTry(context);
      }
      // Unsigned: a query, answered without deciding anything (CVE-2024-45337).
      else if (request.signature === undefined || request.blob === undefined) context.accept();
      else {
        isDeciding = true;
        void decide(request, signedBy(options, request, credential), (line) => denyByBanner(request, line));
      }
    },
    end: () => approver.end(),
  };
}

/** What kind of key this is, when it is one that could be taken here at all. */
function credentialOf(
  { serverContext, origin }: AuthenticatorOptions,
  { key }: KeyRequest,
): "user" | "peer" | null {
  const map = serverContext.snapshot()?.map;
  if (map === undefined) return null;
  if (key.algo === CERTIFICATE_KEY_TYPE) {
    const isTaken =
      isPlausible(key.data, Object.values(map.cas)) ||
      (serverContext.offlineLogins() !== "off" && isSelfSigned(key.data));
    return isTaken ? "user" : null;
  }
  const isMachine = key.algo === DEVICE_KEY_TYPE && !serverContext.sshAuth() && origin.sourcePeerId !== null;
  return isMachine ? "peer" : null;
}

function signedBy(
  { serverContext, origin }: AuthenticatorOptions,
  context: KeyRequest,
  credential: "user" | "peer",
): Pick<AdmissionRequest, "localUser" | "prove"> {
  const signed: SignedRequest = {
    localUser: context.username,
    keyBlob: context.key.data,
    signature: context.signature ?? Buffer.alloc(0),
    signedData: context.blob ?? Buffer.alloc(0),
    sourcePeerId: origin.sourcePeerId,
  };
  const prove = () =>
    credential === "user" ? proveUser(serverContext, signed) : provePeer(serverContext, signed);
  return { localUser: signed.localUser, prove };
}

/** What a client may try, in the order in which it should. */
function methodsOf({
  serverContext,
  origin,
}: AuthenticatorOptions): ("keyboard-interactive" | "publickey")[] {
  return mayApprove(serverContext, origin) ? ["keyboard-interactive", ...METHODS_LEFT] : [...METHODS_LEFT];
}

/** A bug of ours must not let anybody in, nor leave a client without an answer. */
async function admitSafely(serverContext: ServerContext, request: AdmissionRequest): Promise<Admission> {
  try {
    return await admit(serverContext, request);
  } catch (cause) {
    serverContext.log.error("a sign-in failed", { connectionId: request.connectionId }, cause);
    return { kind: "unproven", reason: "certificate_invalid" };
  }
}
