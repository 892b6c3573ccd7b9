/**
 * Userauth requests of one connection (RFC 4252): which are answered at once, which are decided, and how a
 * refusal is shown.
 *
 * An unsigned query is answered for any well-formed certificate of a CA in force, or, with
 * `--allow-offline-logins`, of its own key. Nothing else is computed for it. The methods are `publickey` and,
 * where any client may connect, `keyboard-interactive` by an approval (`approve.ts`). A denial becomes a
 * banner here.
 *
 * @module
 */
import type { AuthContext, PublicKeyAuthContext } from "ssh2";
import { isSelfSigned } from "../../certificate/offline.ts";
import { isPlausible } from "../../certificate/verify.ts";
import { UNPROVEN_SENTENCE } from "../../policy/sentences.ts";
import { DISCONNECT } from "../../sshcore/messages.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import { CERTIFICATE_KEY_TYPE } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import { isAnyClient, type StreamOrigin } from "../contracts/stream-origin.ts";
import { type Admission, type AdmissionRequest, type Admitted, admit } from "./admit.ts";
import { type Approver, createApprover, mayApprove } from "./approve.ts";
import type { ConnectionState } from "./connection-state.ts";
import { unbegun } from "./paired-events.ts";
import { proveApproved, provePeer, proveUser } from "./proof.ts";
import type { SignedRequest } from "./proof-outcome.ts";

export interface AuthenticatorOptions {
  readonly serverContext: ServerContext;
  readonly origin: StreamOrigin;
  readonly connectionId: string;
  readonly clientVersion: string;
  /** Refused keys after which the connection ends. */
  readonly triesMax: number;
  readonly transport: SshTransport;
  readonly state: ConnectionState;
  takePlace(key: string): boolean;
  checkAccount: AdmissionRequest["checkAccount"];
  permitsFor: AdmissionRequest["permitsFor"];
  onUnproven(reason: ReasonCode): void;
  /** The client is admitted; `accept` tells it so. */
  onAdmitted(admitted: Admitted, accept: () => void): void;
  /** A request was decided and did not admit the client: release what was taken for it. */
  onNotAdmitted(): void;
  /** The client has had its last answer; the connection should end. `text` goes into the disconnect. */
  onRefused(text: string): void;
  /** Takes a slot for a connection that waits for approval. Null: none is left. */
  takePending(): (() => void) | null;
  /** Allows this many milliseconds from now to sign in. */
  extendGrace(ms: number): void;
}

/**
 * Outcome of all requests so far. `failed`: no identity was proven. `refused`: a proven person was denied.
 */
export type SignInOutcome = "none" | "failed" | "refused";

/** Fields of ssh2's context that its types omit. */
type KeyRequest = PublicKeyAuthContext & {
  readonly blob?: Buffer;
  /**
   * Added by our ssh2 patch: the host key that `publickey-hostbound-v00@openssh.com` names. Null:
   * `publickey`.
   */
  readonly hostKey?: Buffer | null;
};
const DEVICE_KEY_TYPE = "ssh-ed25519";
/** Also the methods left after a person was refused: asking again would not help. */
const METHODS_LEFT = ["publickey" as const];

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #approver: Approver;
  #tries = 0;
  #isDeciding = false;
  #outcome: SignInOutcome = "none";

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#approver = createApprover({
      ...options,
      onApproved: (context, identity) => {
        const asked = {
          localUser: context.username,
          prove: () => proveApproved(identity, options.origin.via),
        };
        void this.#decide(context, asked, (line) => this.#approver.refuse(context, line));
      },
      onRefused: (context) => {
        if (this.#outcome === "none") this.#outcome = "failed";
        context.reject(METHODS_LEFT);
        this.#finish("Access denied");
      },
    });
  }

  get outcome(): SignInOutcome {
    return this.#outcome;
  }

  /** A proof is being decided. The decision continues when the client leaves. */
  get isDeciding(): boolean {
    return this.#isDeciding;
  }

  onRequest(context: AuthContext): void {
    const { state } = this.#options;
    state.take("try");
    if (!state.is("authenticating", "deciding")) context.reject(METHODS_LEFT);
    // Clients ask this way which methods there are. It does not count as a try.
    else if (context.method === "none") context.reject(methodsOf(this.#options));
    else if (context.method === "keyboard-interactive" && this.#mayAskPerson()) this.#approver.begin(context);
    else if (context.method === "publickey" && state.is("authenticating")) this.#onKey(context);
    else this.#refuseMethod(context);
  }

  #mayAskPerson(): boolean {
    const { serverContext, state, origin } = this.#options;
    return state.is("authenticating") && mayApprove(serverContext, origin);
  }

  #onKey(request: KeyRequest): void {
    const credential = credentialOf(this.#options, request);
    if (credential === null) this.#refuseMethod(request);
    // An unsigned query is answered without deciding anything (CVE-2024-45337).
    else if (request.signature === undefined || request.blob === undefined) request.accept();
    else {
      const asked = signedBy(this.#options, request, credential);
      void this.#decide(request, asked, (line) => this.#denyByBanner(request, line));
    }
  }

  /** The connection is gone, or the client is admitted. */
  end(): void {
    this.#approver.end();
  }

  /** Refuses another method, an unknown key, or a request sent while another is being decided. */
  #refuseMethod(context: AuthContext): void {
    const { transport, origin } = this.#options;
    const isKey = context.method === "publickey";
    const isSigned = isKey && context.signature !== undefined;
    if (isSigned) transport.sendBanner(UNPROVEN_SENTENCE);
    // A stock client offers every key it has before it asks its person.
    if (isKey && !isSigned && isAnyClient(origin)) {
      if (this.#outcome === "none") this.#outcome = "failed";
      context.reject(methodsOf(this.#options));
    } else this.#refuseTry(context);
  }

  #refuseTry(context: AuthContext): void {
    const { triesMax, transport } = this.#options;
    this.#outcome = "failed";
    context.reject(methodsOf(this.#options));
    if (++this.#tries < triesMax) return;
    this.#options.onUnproven("certificate_invalid");
    transport.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, "Too many authentication failures");
    this.#finish("");
  }

  #denyByBanner(context: AuthContext, line: string): void {
    this.#options.transport.sendBanner(line);
    // ssh(1) now leaves by itself with its own message; a client that stays is disconnected.
    context.reject(METHODS_LEFT);
    this.#finish("Access denied");
  }

  /** The client has had its last answer. */
  #finish(text: string): void {
    this.#options.state.take("end");
    this.#options.onRefused(text);
  }

  async #decide(
    context: AuthContext,
    asked: Pick<AdmissionRequest, "localUser" | "prove">,
    deny: (line: string) => void,
  ): Promise<void> {
    const { serverContext, state } = this.#options;
    if (!state.take("prove")) return;
    this.#isDeciding = true;
    const admission = await admitSafely(serverContext, { ...this.#options, ...asked });
    this.#isDeciding = false;
    if (admission.kind === "admitted" && state.take("admit")) {
      this.#approver.end();
      const notice = serverContext.notice?.() ?? null;
      if (notice !== null) this.#options.transport.sendBanner(notice);
      this.#options.onAdmitted(admission, () => context.accept());
      return;
    }
    // Admitted, but the connection ended before the client could be told.
    if (admission.kind === "admitted") void admission.permit.end(unbegun(admission.permit.start, null));
    this.#outcome = admission.kind === "unproven" ? "failed" : "refused";
    this.#options.onNotAdmitted();
    if (admission.kind === "unproven") this.#onUnproven(context, admission.reason);
    else if (admission.kind === "refused") {
      const { denial, text } = admission;
      deny(text === "" ? denial.line : `${denial.line}\n${text}`);
    }
  }

  #onUnproven(context: AuthContext, reason: ReasonCode): void {
    const { state, transport } = this.#options;
    this.#options.onUnproven(reason);
    // The client has left or is being disconnected.
    if (!state.take("retry")) return;
    transport.sendBanner(UNPROVEN_SENTENCE);
    this.#refuseTry(context);
  }
}

/** The kind of a key that could be accepted here. Null: none could. */
function credentialOf(
  { serverContext, origin, transport }: AuthenticatorOptions,
  { key, hostKey }: KeyRequest,
): "user" | "peer" | null {
  const map = serverContext.snapshot()?.map;
  if (map === undefined) return null;
  // Signed for another server: a machine in the middle, or an SSH agent used for another connection.
  if (hostKey !== undefined && hostKey !== null && !hostKey.equals(transport.hostKey())) return null;
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

/** Methods that a client may try, in the order it should. */
function methodsOf({
  serverContext,
  origin,
}: AuthenticatorOptions): ("keyboard-interactive" | "publickey")[] {
  return mayApprove(serverContext, origin) ? ["keyboard-interactive", ...METHODS_LEFT] : [...METHODS_LEFT];
}

/** A bug must neither admit a client nor leave it without an answer. */
async function admitSafely(serverContext: ServerContext, request: AdmissionRequest): Promise<Admission> {
  try {
    return await admit(serverContext, request);
  } catch (cause) {
    serverContext.log.error("a sign-in failed", { connectionId: request.connectionId }, cause);
    return { kind: "unproven", reason: "certificate_invalid" };
  }
}
