/**
 * Differences between operating systems, in one place. Clients use `platform`, which is chosen once; tests
 * build any platform with `platformFor`.
 *
 * The agent needs Linux throughout and has its own layer, `agent/os/`.
 *
 * @module
 */
import { type Ownership, unixOwnership } from "./unix-ownership.ts";
import { windowsOwnership } from "./windows-ownership.ts";

/** What differs between systems. */
export interface Platform {
  readonly name: "linux" | "darwin" | "windows";
  /** Name shown to people. */
  readonly title: string;
  /** Devices for reading and writing the person's terminal, whatever stdin and stdout are. */
  readonly terminal: { readonly input: string; readonly output: string };
  /** The command that shows `url` in a browser. No shell reads it. */
  opener(url: string): string[];
  /** State folder of the machine's agent. Null where no agent can run, so none is looked for. */
  readonly machineStateDir: string | null;
  /** Whether a process can tell which program started it, and with which arguments (/proc). */
  readonly seesCallers: boolean;
  /** Whether we can pass ssh(1) an open connection (SCM_RIGHTS); otherwise we relay its bytes. */
  readonly passesDescriptors: boolean;
  /** Whether we can see that a program has read a file (inotify). */
  readonly seesReads: boolean;
  /** Which OpenSSH is there: Windows has a port whose configuration starts commands in another way. */
  readonly openssh: "unix" | "windows";
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
  seesReads: true,
  openssh: "unix",
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
  // The layout of a message with descriptors differs there and is untested.
  passesDescriptors: false,
  seesReads: false,
  termios: "libSystem",
};

const WINDOWS: Platform = {
  name: "windows",
  title: "Windows",
  terminal: { input: "\\\\.\\CONIN$", output: "\\\\.\\CONOUT$" },
  // `start` is a shell built-in, and the shell would interpret characters of the URL.
  opener: (url) => ["rundll32.exe", "url.dll,FileProtocolHandler", url],
  machineStateDir: null,
  seesCallers: false,
  passesDescriptors: false,
  seesReads: false,
  openssh: "windows",
  termios: null,
  ownership: windowsOwnership(),
};

const BY_NAME: Readonly<Record<string, Platform>> = { linux: LINUX, darwin: DARWIN, win32: WINDOWS };

/** The platform with this Node name. An unknown one counts as a generic Unix, like macOS. */
export function platformFor(name: string): Platform {
  return BY_NAME[name] ?? { ...DARWIN, title: name };
}

/** The platform we run on. */
export const platform: Platform = platformFor(process.platform);
