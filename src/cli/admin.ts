/**
 * The REST API's client for administration commands: requests, and names resolved to ids.
 *
 * The token comes from QF_TOKEN_FILE, else QF_TOKEN, and never from the command line, which other users can
 * read. Without one the person's login is used, and their role decides.
 *
 * @module
 */
import { FAILURES, type FailureCode, isQfError, QfError } from "../base/errors.ts";
import { type Parser, parseJson } from "../base/files.ts";
import { printable } from "../base/printable.ts";
import { obtainApiToken, obtainFreshApiToken, requestToken } from "../client/api-token.ts";
import { unreachableManagement } from "../client/client-api.ts";
import { type ClientSession, openClientSession } from "../client/client-session.ts";
import { environmentToken } from "../client/login.ts";
import { managementUrlOf } from "../client/management-url.ts";
import { Group, User } from "../wire/admin-api.ts";
import { Peer } from "../wire/admin-peers.ts";
import { ApiFailure } from "../wire/client-api.ts";
import { kindOfSecret } from "../wire/secret-kind.ts";
import { print, tameJson } from "./output.ts";
import { parseUrl } from "./parse.ts";
import { say } from "./report.ts";
import { theOne } from "./the-one.ts";

/** Largest accepted answer: the list of peers of the largest account. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/** The flags of every administration command. */
export const ADMIN_ARGS = {
  "management-url": { type: "string" },
  json: { type: "boolean" },
} as const;

/** The same flags in help texts. */
export const ADMIN_OPTIONS = `\
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's response unchanged

Uses the login made by qf login, or an API token from the file named by QF_TOKEN_FILE. What it may do
depends on the user's role.`;

/** An answer, parsed, and as the text that was received. */
export interface Answer<T> {
  readonly value: T;
  readonly text: string;
  /** `X-Seen-Seq`: where a reader that follows a log goes on. Absent: the answer is of no such log. */
  readonly seen?: string;
}

export interface Admin {
  /** Throws the server's refusal, or ERR_UNAVAILABLE. A 204 parses as undefined. */
  request<T>(
    method: string,
    path: string,
    options: { body?: unknown; answer: Parser<T> },
  ): Promise<Answer<T>>;
  /** A WebSocket to `path`, with the caller's token. Its `close` event reports a failure to open. */
  connect(path: string): Promise<WebSocket>;
  /** The ids of groups given by name or id. Throws ERR_NOT_FOUND naming the first unknown one. */
  groupIds(names: readonly string[]): Promise<string[]>;
  peerIds(names: readonly string[]): Promise<string[]>;
  userOf(name: string): Promise<User>;
}

/** Accepts anything, for answers without a body. */
export const NO_ANSWER: Parser<undefined> = {
  safeParse: () => ({ success: true, data: undefined }),
};

/**
 * Finds the server and a token. If `interactive` (the default), signs the person in when needed. Throws
 * ERR_UNAUTHENTICATED, and ERR_USAGE without a server.
 */
export async function openAdmin(
  args: { readonly "management-url"?: string | undefined },
  { interactive = true }: { readonly interactive?: boolean } = {},
): Promise<Admin> {
  const given = args["management-url"];
  const managementUrl = given === undefined ? undefined : parseUrl("management-url", given);
  const url = await managementUrlOf(process.env, managementUrl);
  const tokens = await tokenSource(url, interactive);
  const request: Admin["request"] = async (method, path, { body, answer }) => {
    const call = { url, method, path, body };
    try {
      return await send({ ...call, token: await tokens.get() }, answer);
    } catch (error) {
      // A long command, such as audit tail --follow, outlives the token of a login.
      const isOld = isQfError(error, "ERR_REAUTH_REQUIRED");
      if (!isOld && !isQfError(error, "ERR_UNAUTHENTICATED")) throw error;
      if (!(await tokens.renew(isOld))) throw error;
      return send({ ...call, token: await tokens.get() }, answer);
    }
  };
  const groups = () => request("GET", "/api/groups", { answer: Group.array() });
  return {
    request,
    connect: async (path) => {
      const headers = { authorization: `Token ${await tokens.get()}` };
      return new WebSocket(`${url.replace(/^http/, "ws")}${path}`, { headers } as object as string[]);
    },
    groupIds: async (names) =>
      names.length === 0 ? [] : idsOf("group", names, (await groups()).value, groupKeys),
    peerIds: async (names) => {
      if (names.length === 0) return [];
      return idsOf(
        "peer",
        names,
        (await request("GET", "/api/peers", { answer: Peer.array() })).value,
        peerKeys,
        shownPeer,
      );
    },
    userOf: async (name) => {
      const { value } = await request("GET", "/api/users", { answer: User.array() });
      return theOne("user", name, value, (user) => [user.id, user.email, user.name]);
    },
  };
}

interface TokenSource {
  get(): Promise<string>;
  /**
   * Makes the next `get` return a new token, from a new sign-in if `freshly`. False: no other token exists.
   */
  renew(freshly: boolean): Promise<boolean>;
}

/** The token from the environment, else one requested with the person's login when first needed. */
async function tokenSource(url: string, interactive: boolean): Promise<TokenSource> {
  const given = await environmentToken(process.env);
  if (given !== undefined && kindOfSecret(given) === "ssh_token") {
    throw new QfError("ERR_UNAUTHENTICATED", "the token in QF_TOKEN_FILE or QF_TOKEN is of scope ssh", {
      hint: "it signs a service user in; unset it to administer by qf login, or give a token of scope api",
    });
  }
  if (given !== undefined) return { get: async () => given, renew: async () => false };
  const session = await openClientSession({ managementUrl: url, interactive });
  let made: Promise<string> | undefined;
  return {
    get: () => {
      made ??= interactive ? obtainApiToken(session) : tokenOfKeptLogin(session);
      return made;
    },
    renew: async (freshly) => {
      if (!interactive) return false;
      if (freshly) say("hint", "this takes a fresh sign-in");
      made = freshly ? obtainFreshApiToken(session) : undefined;
      return true;
    },
  };
}

/** A token from the cached login, without a sign-in, leaving that login as it is. */
async function tokenOfKeptLogin(session: ClientSession): Promise<string> {
  const login = await session.cachedLogin();
  if (login === undefined) throw new QfError("ERR_LOGIN_REQUIRED", "no login is kept here");
  return requestToken(session, login);
}

const groupKeys = (group: Group) => [group.id, group.name];
/** The host name, unique to a peer, goes before the display name, which may be anything. */
const peerKeys = (peer: Peer) => [peer.id, hostNameOf(peer), peer.dns_label, peer.ip, peer.name];

/** A peer's description, for choosing among several that match a name. */
function shownPeer(peer: Peer): string {
  return `${peer.id} (${peer.kind ?? "peer"} ${hostNameOf(peer)}, ${peer.connected ? "online" : "offline"})`;
}

/** The host name: the first label of the peer's DNS name. */
export const hostNameOf = ({ dns_label }: Peer) => dns_label.split(".", 1)[0] ?? "";

function idsOf<T extends { readonly id: string }>(
  kind: string,
  names: readonly string[],
  all: readonly T[],
  keysOf: (item: T) => readonly string[],
  show?: (item: T) => string,
): string[] {
  return names.map((name) => theOne(kind, name, all, keysOf, show).id);
}

/** Prints the body unchanged, except that control characters are escaped and a final line break is added. */
export function printBody({ text }: Answer<unknown>): Promise<void> {
  return print(tameJson(text.endsWith("\n") || text === "" ? text : `${text}\n`));
}

/** Prints the unchanged answer with `--json`, else what was done. */
export function printDone(
  args: { readonly json?: boolean | undefined },
  answer: Answer<unknown>,
  done: string,
): Promise<void> {
  return args.json === true ? printBody(answer) : print(`${done}\n`);
}

/**
 * Prints whether an update changed anything. Compares only the fields that were sent, since times and states
 * change by themselves.
 */
export function printChanged(
  args: { readonly json?: boolean | undefined },
  change: { readonly before: object; readonly body: object; readonly answer: Answer<object> },
  what: string,
): Promise<void> {
  const { before, body, answer } = change;
  const fields = (one: object) =>
    JSON.stringify(Object.keys(body).map((key) => Reflect.get(one, key) ?? null));
  const isSame = fields(before) === fields(answer.value);
  return printDone(args, answer, isSame ? `nothing changed: ${what} was so already` : `changed ${what}`);
}

/** Deletes the object at `path` and prints that. */
export async function deleteAt(
  admin: Pick<Admin, "request">,
  args: { readonly json?: boolean | undefined },
  { path, what }: { readonly path: string; readonly what: string },
): Promise<void> {
  await printDone(args, await admin.request("DELETE", path, { answer: NO_ANSWER }), `deleted ${what}`);
}

interface Call {
  readonly url: string;
  readonly token: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

async function send<T>(call: Call, answer: Parser<T>): Promise<Answer<T>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${call.url}${call.path}`, {
      method: call.method,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Token ${call.token}`,
        accept: "application/json",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    if (Number(response.headers.get("content-length") ?? 0) > ANSWER_BYTES_MAX) throw new Error("too long");
    text = await response.text();
  } catch (cause) {
    throw unreachableManagement(call.url, cause);
  }
  if (!response.ok) throw refusalOf(response.status, text);
  const ignored = response.headers.get("x-ignored");
  if (ignored !== null) say("warning", `management does not know, and has ignored: ${printable(ignored)}`);
  const parsed = answer.safeParse(text === "" ? undefined : parseJson(text));
  const seen = response.headers.get("x-seen-seq");
  if (parsed.success) return { value: parsed.data, text, ...(seen === null ? {} : { seen }) };
  throw new QfError("ERR_UNAVAILABLE", "management gave an answer that makes no sense", {
    hint: "check that qf and management are of the same version",
    cause: parsed.error,
  });
}

function refusalOf(status: number, text: string): QfError {
  const parsed = ApiFailure.safeParse(parseJson(text));
  if (!parsed.success) {
    return new QfError("ERR_UNAVAILABLE", `management answered with HTTP status ${status}`);
  }
  const { error, message, hint } = parsed.data;
  const code: FailureCode = Object.hasOwn(FAILURES, error) ? (error as FailureCode) : "ERR_BAD_REQUEST";
  // The server refused the request, which is not a usage error of the command.
  return new QfError(
    code === "ERR_USAGE" ? "ERR_BAD_REQUEST" : code,
    printable(message).slice(0, 1000),
    hint === undefined ? {} : { hint: printable(hint).slice(0, 500) },
  );
}
