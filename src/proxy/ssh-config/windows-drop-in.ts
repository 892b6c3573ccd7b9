/**
 * The drop-in for OpenSSH for Windows.
 *
 * It differs from the one for Unix in what the port does with commands and paths:
 *
 * - `Match exec` goes through `cmd.exe`, within double quotes that hold no double quote, so a path with
 *   spaces cannot be called. So there is no `exec`: the patterns alone say what a peer is, and short names do
 *   not work.
 * - ProxyCommand is started without a shell, by the words as they are written: double quotes hold spaces,
 *   and a backslash is a backslash.
 * - Other paths are words of ssh_config, where a backslash may mean what follows it: they have slashes.
 * - HOME need not be set, so the config folder is always named.
 * - Host keys are in a file for each peer, which `qf proxy connect` writes before it passes the first byte.
 *
 * @module
 */
import { win32 } from "node:path";
import { QfError } from "../../base/errors.ts";
import { fixedLines, type OpensshHere } from "./fixed-options.ts";

/** A drive, and names of characters that mean nothing to ssh_config, glob(3) or Windows. */
const PATH = /^[A-Za-z]:(?:[\\/][\p{L}\p{N}._+@~, ()-]+)+$/u;
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
/** 100.64.0.0/10 with nothing beside it, since no command can look at an address again. */
const OVERLAY_PATTERNS = [
  ...[4, 5, 6, 7, 8, 9].map((digit) => `100.6${digit}.*`),
  ...["100.7?.*", "100.8?.*", "100.9?.*", "100.10?.*", "100.11?.*"],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((digit) => `100.12${digit}.*`),
];

export interface WindowsDropIn {
  readonly executable: string;
  readonly domain: string;
  /** The person's config folder. */
  readonly configDir: string;
  /** What no host may hold. */
  readonly refused: readonly string[];
  readonly on: OpensshHere;
}

/** The lines below the mark. Throws ERR_USAGE for a path that cannot be written safely. */
export function windowsDropInLines({ executable, domain, configDir, refused, on }: WindowsDropIn): string[] {
  checkPath(executable, "the path of qf");
  checkPath(configDir, "the config folder");
  const [program, folder] = [executable, configDir].map((path) => `"${win32.normalize(path)}"`);
  const command = `${program} proxy connect --config-dir ${folder}`;
  const keys = `${configWord(configDir)}/openssh/%h`;
  const lines = [
    ["ProxyCommand", `${command} %h %p`],
    ["IdentityFile", `"${keys}"`],
    ["UserKnownHostsFile", `"${keys}_known"`],
    ...fixedLines(on),
  ];
  const block = (patterns: readonly string[]) => [
    `Match host "${[...patterns, ...refused.map((text) => `!*${text}*`)].join(",")}"`,
    ...lines.map(([name, value]) => `  ${name} ${value}`),
  ];
  return [...block([`*.${domain}`]), ...block([...OVERLAY_PATTERNS, ...LETTERS.map((one) => `!*${one}*`)])];
}

/** `path` as a word of ssh_config. */
export function configWord(path: string): string {
  return win32.normalize(path).replaceAll("\\", "/");
}

function checkPath(path: string, what: string): void {
  if (PATH.test(path)) return;
  throw new QfError("ERR_USAGE", `${what} has characters that ssh_config cannot hold safely`, {
    hint: "move it to a drive's path of letters, digits, spaces and ._+@~,()-",
  });
}
