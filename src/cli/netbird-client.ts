/**
 * Reader of a NetBird server's account, through its REST API with a token. It changes nothing there.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { QfError } from "../base/errors.ts";
import { type Parser, parseJson } from "../base/files.ts";
import { checkManagementUrl } from "../client/management-url.ts";
import { NetBirdGroup, NetBirdPolicy, NetBirdSetupKey, NetBirdUser } from "../wire/netbird-api.ts";
import type { NetBirdAccount } from "./netbird-import.ts";

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TOKEN_BYTES_MAX = 4_096;

/**
 * Reads groups, users, setup keys and policies. `url` is https, or on this machine. Throws ERR_USAGE for bad
 * arguments, ERR_UNAVAILABLE for failures of NetBird.
 */
export async function readNetBird(url: string, tokenFile: string): Promise<NetBirdAccount> {
  const origin = checkManagementUrl(url);
  const token = tokenIn(tokenFile);
  const read = <T>(path: string, answer: Parser<T>) => get(`${origin}/api/${path}`, token, answer);
  // One after the other, to spare a production server.
  const groups = await read("groups", NetBirdGroup.array());
  const users = await read("users", NetBirdUser.array());
  const setupKeys = await read("setup-keys", NetBirdSetupKey.array());
  const policies = await read("policies", NetBirdPolicy.array());
  return { groups, users, setupKeys, policies };
}

function tokenIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").slice(0, TOKEN_BYTES_MAX).trim();
  } catch (cause) {
    throw new QfError("ERR_USAGE", `the token file ${path} cannot be read`, { cause });
  }
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new QfError("ERR_USAGE", `the token file ${path} holds no token`, {
    hint: "make a personal access token in NetBird's dashboard, and put it into the file as its only line",
  });
}

async function get<T>(url: string, token: string, answer: Parser<T>): Promise<T> {
  const where = new URL(url).pathname;
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Token ${token}`, accept: "application/json" },
      // The token must not follow a redirect to another server.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new QfError("ERR_UNAVAILABLE", "the NetBird server cannot be reached, or leads elsewhere", {
      cause,
    });
  }
  if (status === 401 || status === 403) {
    throw new QfError("ERR_UNAUTHENTICATED", `NetBird does not take the token for ${where}`, {
      hint: "it has to be the token of an owner, an admin or an auditor",
    });
  }
  const parsed = text.length > ANSWER_BYTES_MAX ? undefined : answer.safeParse(parseJson(text));
  if (status === 200 && parsed?.success === true) return parsed.data;
  throw new QfError("ERR_UNAVAILABLE", `NetBird gives no answer to ${where} that can be read (${status})`, {
    hint: "is this the address of its REST API, such as https://api.netbird.io?",
  });
}
