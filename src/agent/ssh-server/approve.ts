/**
 * Keyboard-interactive sign-in (RFC 4256) for clients without a certificate. Shows the page where a person
 * may approve this connection, takes the one-time code of that page, and passes on who they are.
 *
 * Each approval is for one connection, bound to its SSH session and local user. Nothing depends on the local
 * user before a person is proven, so every name looks the same. Nothing is decided here.
 *
 * @module
 */
import type { KeyboardAuthContext } from "ssh2";
import { nowSeconds } from "../../base/clock.ts";
import { sha256 } from "../../base/random.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import { APPROVAL_CODE_LENGTH_MAX, type ApprovedIdentity } from "../../wire/agent-sync.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { LocalUser } from "../../wire/units.ts";
import type { ApprovalSubject, Approvals } from "../contracts/approvals.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import { isAnyClient, type StreamOrigin } from "../contracts/stream-origin.ts";
import { APPROVAL_TEXT, howToApprove, signInDenied, wrongCode } from "./approval-text.ts";

export interface ApproverOptions {
  readonly serverContext: ServerContext;
  readonly origin: StreamOrigin;
  readonly connectionId: string;
  /** Software version that the client announces. */
  readonly clientVersion: string;
  readonly transport: SshTransport;
  /** Takes a slot for a connection that waits for approval. Null: none is left. */
  takePending(): (() => void) | null;
  /** Allows this many milliseconds from now to sign in. */
  extendGrace(ms: number): void;
  /** Counts an attempt that proved no identity. */
  onUnproven(reason: ReasonCode): void;
  /** The person is known. The callee decides, and answers `context` or calls `refuse`. */
  onApproved(context: KeyboardAuthContext, identity: ApprovedIdentity): void;
  /** The client has had its last answer; the connection should end. */
  onRefused(context: KeyboardAuthContext): void;
}

export interface Approver {
  /**
   * Takes a keyboard-interactive request. The answer comes later, unless the client tries another method
   * first.
   */
  begin(context: KeyboardAuthContext): void;
  /** Shows `line` to the person and refuses the request. */
  refuse(context: KeyboardAuthContext, line: string): void;
  /** Releases what it holds, when the connection is gone or the client is admitted. */
  end(): void;
}

/** Most answers to prompts that one connection may send. */
const ANSWERS_MAX = 20;
/** Of those, how many may be wrong codes or malformed. */
const TRIES_MAX = 5;
/** How long a client has to show the last message. */
const LAST_WORDS_MS = 2_000;

/**
 * Libraries that skip an information request without prompts: node ssh2, Apache MINA, Ruby's net-ssh. They do
 * show a banner; other clients would show the same line twice.
 */
const BANNERS_ONLY = /^(?:ssh2js|APACHE-SSHD|Ruby\/Net::SSH)/;

/**
 * dbclient reads an answer that is echoed from standard input, which belongs to the command, so `scp -S
 * dbclient` could never sign in. It asks for an answer that is not echoed on the terminal.
 */
const ASKS_UNSEEN = /^dropbear_/;

/** An approval in progress. */
interface Open {
  readonly subject: ApprovalSubject;
  readonly approvalId: string;
  readonly url: string;
}

/** Whether this machine takes such sign-ins on this stream. */
export function mayApprove(
  serverContext: Pick<ServerContext, "approvals" | "sshAuth" | "pinned">,
  origin: StreamOrigin,
) {
  return (
    isAnyClient(origin) &&
    serverContext.approvals !== null &&
    serverContext.sshAuth() &&
    serverContext.pinned() === null
  );
}

export function createApprover(options: ApproverOptions): Approver {
  return new PromptingApprover(options);
}

class PromptingApprover implements Approver {
  readonly #options: ApproverOptions;
  /**
   * asking: an approval is open or may be opened. refused: the last message is out. ended: there is no client
   * to ask.
   */
  #state: "asking" | "refused" | "ended" = "asking";
  #open: Open | null = null;
  #releasePending: (() => void) | null = null;
  #answers = 0;
  #wrongAnswers = 0;

  constructor(options: ApproverOptions) {
    this.#options = options;
  }

  begin(context: KeyboardAuthContext): void {
    const { serverContext, connectionId, onRefused } = this.#options;
    const { approvals } = serverContext;
    if (this.#state === "refused") onRefused(context);
    else if (approvals === null) this.refuse(context, APPROVAL_TEXT.unavailable);
    else {
      this.#begin(context, approvals).catch((cause: unknown) => {
        serverContext.log.error("an approval failed", { connectionId }, cause);
        onRefused(context);
      });
    }
  }

  refuse(context: KeyboardAuthContext, line: string): void {
    if (this.#state === "asking") this.#state = "refused";
    const { clientVersion, transport } = this.#options;
    if (BANNERS_ONLY.test(clientVersion)) transport.sendBanner(line);
    void lastWords(context, line).then(() => this.#options.onRefused(context));
  }

  end(): void {
    this.#state = "ended";
    if (this.#open !== null) this.#options.serverContext.approvals?.close(this.#open.approvalId);
    this.#open = null;
    this.#releasePending?.();
    this.#releasePending = null;
  }

  get #isEnded(): boolean {
    return this.#state === "ended";
  }

  async #begin(context: KeyboardAuthContext, approvals: Approvals): Promise<void> {
    const localUser = LocalUser.safeParse(context.username);
    if (!localUser.success) return this.refuse(context, APPROVAL_TEXT.noSuchName);
    const failure = this.#open === null ? await this.#openAt(approvals, localUser.data) : null;
    if (this.#isEnded) return;
    if (failure !== null || this.#open === null)
      return this.refuse(context, failure ?? APPROVAL_TEXT.unavailable);
    await this.#converse(context, approvals, this.#open);
  }

  /** Null: the approval is open. Otherwise the text to show. */
  async #openAt(approvals: Approvals, localUser: LocalUser): Promise<string | null> {
    this.#releasePending ??= this.#options.takePending();
    if (this.#releasePending === null) return APPROVAL_TEXT.full;
    const { connectionId, origin, transport } = this.#options;
    const { sourceAddress } = origin;
    const sessionIdHash = sha256(transport.sessionId());
    const subject: ApprovalSubject = { connectionId, sessionIdHash, localUser, sourceAddress };
    const opened = await approvals.open(subject);
    if (opened.kind !== "opened") return APPROVAL_TEXT[opened.kind];
    const { approvalId, url, expiresAtSeconds } = opened;
    if (this.#isEnded) {
      approvals.close(approvalId);
      return null;
    }
    this.#open = { subject, approvalId, url };
    this.#options.extendGrace((expiresAtSeconds - nowSeconds(this.#options.serverContext.clock)) * 1000);
    return null;
  }

  async #converse(context: KeyboardAuthContext, approvals: Approvals, { ...here }: Open) {
    const { subject, url, approvalId } = here;
    let instruction = howToApprove({ url, ...subject, machine: machineName(this.#options.serverContext) });
    for (;;) {
      const isSeen = !ASKS_UNSEEN.test(this.#options.clientVersion);
      const code = await askCode(context, { instruction, url, isSeen });
      if (code === null || this.#isEnded) return;
      if (++this.#answers > ANSWERS_MAX) return this.refuse(context, APPROVAL_TEXT.tooManyAnswers);
      if (code === undefined) {
        if (++this.#wrongAnswers >= TRIES_MAX) return this.#unproven(context, APPROVAL_TEXT.tooManyAnswers);
        instruction = wrongCode(TRIES_MAX - this.#wrongAnswers);
        continue;
      }
      if (code === "") {
        instruction = howToApprove({ url, ...subject, machine: machineName(this.#options.serverContext) });
        continue;
      }
      const answer = await approvals.claim(subject, { approvalId, code });
      if (this.#isEnded) return;
      switch (answer.status) {
        case "approved":
          this.#open = null;
          return this.#options.onApproved(context, answer.identity);
        case "waiting":
          instruction = APPROVAL_TEXT.waiting(url);
          break;
        case "unavailable":
          instruction = APPROVAL_TEXT.unavailable;
          break;
        case "wrong_code": {
          const left = Math.min(answer.triesLeft, TRIES_MAX - ++this.#wrongAnswers);
          if (left <= 0) return this.#unproven(context, APPROVAL_TEXT.tooManyAnswers);
          instruction = wrongCode(left);
          break;
        }
        case "denied":
          return this.#unproven(context, signInDenied(answer.message));
        case "over":
          return this.refuse(context, APPROVAL_TEXT.over);
      }
    }
  }

  #unproven(context: KeyboardAuthContext, line: string): void {
    this.#options.onUnproven("token_invalid");
    this.refuse(context, line);
  }
}

/**
 * The code as typed; empty: none. Undefined: not one answer to one prompt. Null: the client switched to
 * another method. The prompt repeats the page's URL, because SSH_ASKPASS shows nothing else.
 */
function askCode(
  context: KeyboardAuthContext,
  { instruction, url, isSeen }: { instruction: string; url: string; isSeen: boolean },
): Promise<string | undefined | null> {
  return new Promise((resolve) => {
    const prompts = [{ prompt: `(${url}) One-time code: `, echo: isSeen }];
    context.prompt(prompts, "", instruction, (answers: unknown) => {
      if (!Array.isArray(answers)) return resolve(null);
      // RFC 4256 requires one answer for each prompt; anything else is not a code.
      const code = answers.length === 1 ? String(answers[0]).trim() : undefined;
      resolve(code !== undefined && code.length <= APPROVAL_CODE_LENGTH_MAX ? code : undefined);
    });
  });
}

/** Nearly every client shows an information request without prompts before it fails. */
function lastWords(context: KeyboardAuthContext, line: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    context.prompt([], "", line, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function machineName(serverContext: Pick<ServerContext, "snapshot">): string {
  const map = serverContext.snapshot()?.map;
  return map === undefined ? "this machine" : `${map.self.name}.${map.settings.domain}`;
}
