/**
 * Input of policy commands: policy files, actions, and answers to questions.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import { QfError } from "../base/errors.ts";
import { platform } from "../base/platform/platform.ts";
import { POLICY_TEXT_BYTES_MAX, parsePolicyText } from "../wire/policy-text.ts";

const ANSWER_BYTES_MAX = 256;

/** Reads a policy file and checks its syntax. Throws ERR_USAGE when it cannot be read. */
export function readPolicyText(path: string): string {
  const text = readText(path, POLICY_TEXT_BYTES_MAX, "the policy file is larger than 1 MB (1048576 bytes)");
  parsePolicyText(text);
  return text;
}

/** Reads a file of at most `bytesMax`. `-` is standard input. */
export function readText(path: string, bytesMax: number, tooLarge: string): string {
  try {
    if (path !== "-" && statSync(path).size > bytesMax) throw new QfError("ERR_TOO_LARGE", tooLarge);
    const bytes = readFileSync(path === "-" ? 0 : path);
    if (bytes.length > bytesMax) throw new QfError("ERR_TOO_LARGE", tooLarge);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof QfError) throw cause;
    const isText = cause instanceof TypeError;
    const what = isText ? "is not UTF-8 text" : "cannot be read";
    throw new QfError(isText ? "ERR_UNPROCESSABLE" : "ERR_USAGE", `${path} ${what}`, { cause });
  }
}

const ACTION = /^(exec|forward|remote_forward|forward_socket|remote_forward_socket)[:= ](.+)$/;

/** Converts `--action` for the API: `shell`, `exec:/usr/bin/uptime`, `forward:db:5432`, or JSON. */
export function actionQuery(text: string): string {
  const [, kind, about] = ACTION.exec(text) ?? [];
  return kind === undefined ? text : JSON.stringify({ [kind]: about });
}

/** Whether the person at the terminal answers yes. Null: there is no terminal. */
export function askYes(question: string): boolean | null {
  if (!process.stdin.isTTY) return null;
  let tty: number;
  let out: number;
  try {
    // On Windows, a console has separate names for reading and writing.
    tty = openSync(platform.terminal.input, "r+");
    out =
      platform.terminal.output === platform.terminal.input ? tty : openSync(platform.terminal.output, "w");
  } catch {
    return null;
  }
  try {
    writeSync(out, `${question} [y/N] `);
    const bytes: number[] = [];
    const byte = Buffer.alloc(1);
    while (bytes.length < ANSWER_BYTES_MAX && readSync(tty, byte) === 1 && byte[0] !== 0x0a) {
      bytes.push(byte[0] ?? 0);
    }
    return /^y(?:es)?$/i.test(Buffer.from(bytes).toString("utf8").trim());
  } finally {
    closeSync(tty);
    if (out !== tty) closeSync(out);
  }
}
