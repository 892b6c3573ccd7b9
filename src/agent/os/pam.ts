/**
 * PAM (pam(3)) through bun:ffi: whether an account may be used now, and its session. PAM never checks a
 * password here, because the person has been proven before.
 *
 * Modules run as root in the process that calls them, and may change it, hang or crash. Only a session's
 * monitor (monitor-child.ts) opens a transaction, never the agent.
 *
 * @module
 */
import { CString, dlopen, FFIType, JSCallback, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { existsSync, readFileSync } from "node:fs";

const PAM_SYMBOLS = {
  pam_start: { args: ["cstring", "cstring", "ptr", "ptr"], returns: "i32" },
  pam_end: { args: ["ptr", "i32"], returns: "i32" },
  pam_set_item: { args: ["ptr", "i32", "cstring"], returns: "i32" },
  pam_acct_mgmt: { args: ["ptr", "i32"], returns: "i32" },
  pam_setcred: { args: ["ptr", "i32"], returns: "i32" },
  pam_open_session: { args: ["ptr", "i32"], returns: "i32" },
  pam_close_session: { args: ["ptr", "i32"], returns: "i32" },
  pam_getenvlist: { args: ["ptr"], returns: "ptr" },
} as const;
/** libpam loads the C library too, so these symbols are found under libpam's name. */
const MEMORY_SYMBOLS = {
  calloc: { args: ["u64", "u64"], returns: "ptr" },
} as const;
const LIBRARY = "libpam.so.0";

// <security/_pam_types.h>
export const PAM_SUCCESS = 0;
const PAM_OPEN_ERR = 1;
const PAM_CONV_ERR = 19;
export const PAM_ACCT_EXPIRED = 13;
const PAM_TTY = 3;
const PAM_RHOST = 4;
const PAM_ESTABLISH_CRED = 0x2;
const PAM_DELETE_CRED = 0x4;
const PAM_SILENT = 0x8000;
const PAM_ERROR_MSG = 3;
const PAM_TEXT_INFO = 4;

/** Longest text of modules that is kept. */
const TEXT_CHARS_MAX = 65_536;
/** Most messages in one conversation call: PAM_MAX_NUM_MSG. */
const MESSAGES_MAX = 32;
const ENVIRONMENT_MAX = 256;
const SERVICE = "qufabric";
const FALLBACK_SERVICE = "sshd";
/** Where Linux-PAM looks up services. */
const SERVICE_FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];

type Pam = ReturnType<typeof dlopen<typeof PAM_SYMBOLS>>["symbols"];
/** Undefined: not looked up yet. Null: this system has none. */
let loaded: Pam | null | undefined;

/** Whether this system has libpam. Looked up once. */
export function hasPam(): boolean {
  return loadPam() !== null;
}

function loadPam(): Pam | null {
  if (loaded !== undefined) return loaded;
  try {
    loaded = dlopen(LIBRARY, PAM_SYMBOLS).symbols;
  } catch {
    loaded = null;
  }
  return loaded;
}

/** The service to use: ours if an administrator has written one, else sshd's. */
export function pamService(folders: readonly string[] = SERVICE_FOLDERS): string {
  return folders.some((folder) => existsSync(`${folder}/${SERVICE}`)) ? SERVICE : FALLBACK_SERVICE;
}

/** Services in order of preference. The first that has rules is used. */
export const PAM_SERVICES = [SERVICE, FALLBACK_SERVICE] as const;
/** Its rules apply where a service has none. */
const OTHERS = "other";

/**
 * The service whose rules apply; without rules of ours, PAM takes those for `other`. Null: they refuse
 * everybody, as on most systems but Debian, or there are none.
 */
export function ruledService(folders: readonly string[] = SERVICE_FOLDERS): string | null {
  const fileOf = (service: string) =>
    folders.map((folder) => `${folder}/${service}`).find((path) => existsSync(path));
  const service = PAM_SERVICES.find((one) => fileOf(one) !== undefined);
  if (service !== undefined) return service;
  const others = fileOf(OTHERS);
  if (others === undefined) return null;
  return /^\s*-?account\b.*\bpam_deny\.so\b/m.test(readFileSync(others, "utf8")) ? null : OTHERS;
}

/** A PAM call that did not return success. */
export class PamError extends Error {
  override readonly name = "PamError";
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call} answers ${code}`);
    this.code = code;
  }
}

export interface PamOptions {
  readonly service: string;
  readonly user: string;
  /** Client address. */
  readonly remoteHost: string;
  /** Path of the terminal. Without one `ssh`, as sshd does. */
  readonly terminal: string;
}

/** Begins a transaction, which the caller must end. Throws PamError, also if libpam cannot be loaded. */
export function openPam(options: PamOptions): PamTransaction {
  return new PamTransaction(options);
}

export class PamTransaction {
  readonly #pam: Pam;
  readonly #handle: Pointer;
  readonly #conversation: JSCallback;
  /** Kept alive while libpam may read it. */
  readonly #structure: BigUint64Array;
  #text = "";
  #last = PAM_SUCCESS;
  #isOpen = false;

  constructor(options: PamOptions) {
    const pam = loadPam();
    if (pam === null) throw new PamError("dlopen", PAM_OPEN_ERR);
    this.#pam = pam;
    this.#conversation = createConversation((text) => this.#hear(text));
    this.#structure = BigUint64Array.of(BigInt(this.#conversation.ptr ?? 0), 0n);
    const handle = new BigUint64Array(1);
    const { service, user } = options;
    const started = this.#pam.pam_start(cText(service), cText(user), ptr(this.#structure), ptr(handle));
    if (started !== PAM_SUCCESS) throw new PamError("pam_start", started);
    this.#handle = Number(handle[0]) as Pointer;
    this.#check("pam_set_item", this.#pam.pam_set_item(this.#handle, PAM_RHOST, cText(options.remoteHost)));
    this.setTerminal(options.terminal);
  }

  setTerminal(terminal: string): void {
    this.#check("pam_set_item", this.#pam.pam_set_item(this.#handle, PAM_TTY, cText(terminal)));
  }

  /** PAM's code for whether the account may be used now. */
  checkAccount(): number {
    this.#last = this.#pam.pam_acct_mgmt(this.#handle, 0);
    return this.#last;
  }

  /**
   * Sets credentials and opens the session; silent modules show nothing. Throws PamError if a module refuses.
   */
  openSession(isSilent: boolean): void {
    const flags = isSilent ? PAM_SILENT : 0;
    // As sshd does, ignore this result: a user who did not sign in through PAM may have no credentials to
    // set.
    this.#pam.pam_setcred(this.#handle, PAM_ESTABLISH_CRED | flags);
    this.#check("pam_open_session", this.#pam.pam_open_session(this.#handle, flags));
    this.#isOpen = true;
  }

  /** What modules said since the last call, up to a bound. */
  takeText(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  /** `NAME=value` pairs that modules want in the session's environment. */
  environment(): Map<string, string> {
    const found = new Map<string, string>();
    const list = this.#pam.pam_getenvlist(this.#handle);
    if (list === null) return found;
    for (let at = 0; at < ENVIRONMENT_MAX; at++) {
      const entry = read.ptr(list, at * 8);
      if (entry === 0) break;
      const text = new CString(entry as Pointer).toString();
      const equals = text.indexOf("=");
      if (equals > 0) found.set(text.slice(0, equals), text.slice(equals + 1));
    }
    return found;
  }

  /** Closes the session if one is open, and ends the transaction. */
  end(): void {
    if (this.#isOpen) {
      this.#last = this.#pam.pam_close_session(this.#handle, 0);
      this.#pam.pam_setcred(this.#handle, PAM_DELETE_CRED);
    }
    this.#isOpen = false;
    this.#pam.pam_end(this.#handle, this.#last);
    this.#conversation.close();
  }

  #hear(text: string): void {
    this.#text = `${this.#text}${text.replace(/\n?$/, "\n")}`.slice(0, TEXT_CHARS_MAX);
  }

  #check(call: string, code: number): void {
    this.#last = code;
    if (code !== PAM_SUCCESS) throw new PamError(call, code);
  }
}

/** Collects what modules say. Questions get an error, because there is nobody to ask. */
function createConversation(hear: (text: string) => void): JSCallback {
  const memory = dlopen(LIBRARY, MEMORY_SYMBOLS).symbols;
  const converse = (count: number, messages: Pointer, responses: Pointer): number => {
    if (count <= 0 || count > MESSAGES_MAX) return PAM_CONV_ERR;
    let isAnswered = true;
    for (let at = 0; at < count; at++) {
      const message = read.ptr(messages, at * 8) as Pointer;
      const style = read.i32(message, 0);
      const text = read.ptr(message, 8);
      if (style !== PAM_ERROR_MSG && style !== PAM_TEXT_INFO) isAnswered = false;
      else if (text !== 0) hear(new CString(text as Pointer).toString());
    }
    if (!isAnswered) return PAM_CONV_ERR;
    // Modules free this, so it must be zeroed memory of the C library.
    const answers = memory.calloc(BigInt(count), 16n);
    if (answers === null) return PAM_CONV_ERR;
    new BigUint64Array(toArrayBuffer(responses, 0, 8))[0] = BigInt(answers);
    return PAM_SUCCESS;
  };
  return new JSCallback(converse, {
    args: [FFIType.i32, FFIType.ptr, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i32,
  });
}

function cText(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
