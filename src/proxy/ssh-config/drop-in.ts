/**
 * The ssh_config drop-in as text: a pure function of a few local facts.
 *
 * Nothing in it was said by a server but the account's domain, which must be a strict DNS name: no name
 * of a peer or person is ever written here. `%h` reaches a shell in quotes, and only where the pattern
 * before it has let through nothing that could end them.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { platform } from "../../base/platform/platform.ts";
import { isDnsName } from "../../client/peer-name.ts";
import { DEFAULT_CONFIG_PATH } from "../keys/openssh-folder.ts";
import { fixedLines, type OpensshHere } from "./fixed-options.ts";
import { windowsDropInLines } from "./windows-drop-in.ts";

/** First line of every file that is ours to replace and remove. */
export const DROP_IN_MARK = "# QuFabric: kept by qf ssh-config, which overwrites and removes this file.";

export interface DropIn {
  /** Absolute path of `qf`. */
  readonly executable: string;
  /** The account's domain. */
  readonly domain: string;
  /** The person's config folder where it is not the usual one under HOME. Undefined: the usual one. */
  readonly configDir: string | undefined;
  /** Whether names without a dot are asked about as well. */
  readonly shortNames: boolean;
}

/** 100.64.0.0/10 and a little more: `qf proxy match` knows exactly. */
const OVERLAY_PATTERNS = ["100.6?.*", "100.7?.*", "100.8?.*", "100.9?.*", "100.1??.*"];
/** What could end a single quote, or lead a file name elsewhere, or be read by some shell within quotes. */
const REFUSED = ["'", "$", "/", "\\", "`", "!", "%", ";", "&", "|", "<", ">", "(", ")", "{", "}", "~", " "];
/** Directory and file names that mean the same to ssh_config, to every shell and to glob(3). */
const PATH = /^\/[A-Za-z0-9/._+@%, -]*$/;

/** Throws ERR_USAGE for a domain or path that cannot be written safely. */
export function renderDropIn(dropIn: DropIn, on: OpensshHere = platform): string {
  if (!isDnsName(dropIn.domain)) throw new QfError("ERR_USAGE", "the account's domain is not a DNS name");
  const lines = on.openssh === "windows" ? linesOnWindows(dropIn, on) : linesOnUnix(dropIn, on);
  return `${[DROP_IN_MARK, ...lines].join("\n")}\n`;
}

function linesOnWindows({ executable, domain, configDir, shortNames }: DropIn, on: OpensshHere): string[] {
  if (shortNames) {
    throw new QfError("ERR_UNAVAILABLE", "OpenSSH for Windows cannot be asked about short names", {
      hint: "use the full name, or qf ssh",
    });
  }
  if (configDir === undefined) throw new QfError("ERR_USAGE", "the config folder is not known");
  return windowsDropInLines({ executable, domain, configDir, refused: REFUSED, on });
}

function linesOnUnix({ executable, domain, configDir, shortNames }: DropIn, on: OpensshHere): string[] {
  checkPath(executable, "the path of qf");
  if (configDir !== undefined) checkPath(configDir, "the config folder");
  const names = [`*.${domain}`, ...OVERLAY_PATTERNS];
  const command = shellWords(executable, "proxy");
  const folder = configDir === undefined ? "" : ` --config-dir ${quoteForShell(configDir)}`;
  const keys = `${keyFolder(configDir)}/%h`;
  const match = `${command} match --domain ${domain}${folder} '%h'`;
  const lines = [
    ["ProxyCommand", `${command} connect${on.passesDescriptors ? " --fdpass" : ""}${folder} '%h' '%p'`],
    ["KnownHostsCommand", `${knownHostsCommand(executable, configDir)} %H`],
    ["IdentityFile", `"${keys}"`],
    ...fixedLines(on),
  ];
  const block = (patterns: readonly string[]) => [
    `Match host "${[...patterns, ...REFUSED.map((text) => `!*${text}*`)].join(",")}" exec "${match}"`,
    ...lines.map(([name, value]) => `  ${name} ${value}`),
  ];
  const short = shortNames ? ["", ...block(["*", "!*.*"])] : [];
  return [...block(names), ...short];
}

/** ssh_config's own quoting: no shell reads KnownHostsCommand. */
function knownHostsCommand(executable: string, configDir: string | undefined): string {
  const folder = configDir === undefined ? "" : ` --config-dir "${percents(configDir)}"`;
  return `"${percents(executable)}" proxy known-hosts${folder}`;
}

/** As ssh(1) expands it: its environment is that of the commands it runs. */
function keyFolder(configDir: string | undefined): string {
  const base = configDir === undefined ? `\${HOME}/${DEFAULT_CONFIG_PATH}` : percents(configDir);
  return join(base, "openssh");
}

function shellWords(executable: string, ...words: readonly string[]): string {
  return [quoteForShell(executable), ...words].join(" ");
}

/** `checkPath` has seen to it that there is nothing in `path` but what quotes hold. */
function quoteForShell(path: string): string {
  const text = percents(path);
  return /[^A-Za-z0-9/._+@%-]/.test(text) ? `'${text}'` : text;
}

function percents(text: string): string {
  return text.replaceAll("%", "%%");
}

function checkPath(path: string, what: string): void {
  if (isAbsolute(path) && PATH.test(path)) return;
  throw new QfError("ERR_USAGE", `${what} has characters that ssh_config cannot hold safely`, {
    hint: "move it to a path of letters, digits, spaces and /._+@%,-",
  });
}
