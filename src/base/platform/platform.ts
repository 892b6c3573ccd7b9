/**
 * Differences between operating systems, behind one door. A client asks `platform`, which is chosen once;
 * tests build any of them with `platformFor`.
 *
 * The agent needs Linux as a whole and has a door of its own, `agent/os/`.
 *
 * @module
 */
import { type Ownership, unixOwnership } from "./unix-ownership.ts";
import { windowsOwnership } from "./windows-ownership.ts";

/** What differs, as facts. */
export interface Platform {
  readonly name: "linux" | "darwin" | "windows";
  /** For people. */
  readonly title: string;
  /** The person's terminal, whatever stdin and stdout are: where to read, and where to write. */
  readonly terminal: { readonly input: string; readonly output: string };
  /** The command that shows `url` in a browser. No shell reads it. */
  opener(url: string): string[];
  /** State folder of the machine's own agent. Null: no agent runs on such a system, so none is looked for. */
  readonly machineStateDir: string | null;
  /** Whether a process can tell which program started it, and with which arguments (/proc). */
  readonly seesCallers: boolean;
  /** Whether we can hand ssh(1) an open connection (SCM_RIGHTS); else we carry its bytes. */
  readonly passesDescriptors: boolean;
  /** Whether the system's ssh can be set up by us. */
  readonly configuresSsh: boolean;
  /** How output processing of a terminal is turned off. Null: the system's own raw mode is enough. */
  readonly termios: "ioctl" | "libSystem" | null;
  /** Who may read files. */
  readonly ownership: Ownership;
}

const TTY = { input: "/dev/tty", output: "/dev/tty" };

const LINUX: Platform = {
  name: "linux",
  title: "Linux",
  terminal: TTY,
  opener: (url) => ["xdg-open", url],
  machineStateDir: "/var/lib/qufabric",
  seesCallers: true,
  passesDescriptors: true,
  configuresSsh: true,
  termios: "ioctl",
  ownership: unixOwnership,
};

const DARWIN: Platform = {
  ...LINUX,
  name: "darwin",
  title: "macOS",
  opener: (url) => ["open", url],
  machineStateDir: null,
  seesCallers: false,
  // The layout of a message with a descriptor is another there, and nobody has tried it.
  passesDescriptors: false,
  termios: "libSystem",
};

const WINDOWS: Platform = {
  name: "windows",
  title: "Windows",
  terminal: { input: "\\\\.\\CONIN$", output: "\\\\.\\CONOUT$" },
  // `start` is a word of a shell, which would read what is in a URL.
  opener: (url) => ["rundll32.exe", "url.dll,FileProtocolHandler", url],
  machineStateDir: null,
  seesCallers: false,
  passesDescriptors: false,
  configuresSsh: false,
  termios: null,
  ownership: windowsOwnership(),
};

const BY_NAME: Readonly<Record<string, Platform>> = { linux: LINUX, darwin: DARWIN, win32: WINDOWS };

/** By Node's name of it. What is unknown counts as a Unix of which nothing more is known: as macOS. */
export function platformFor(name: string): Platform {
  return BY_NAME[name] ?? { ...DARWIN, title: name };
}

/** This system's. */
export const platform: Platform = platformFor(process.platform);
