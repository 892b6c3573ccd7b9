/**
 * Facts that this machine reports about itself. Shown to admins and used in posture checks, but never trusted
 * for access.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { hostname, release } from "node:os";
import { VERSION } from "../../base/build-info.ts";
import type { PeerFacts } from "../../wire/client-api.ts";
import type { HostLabel } from "../../wire/units.ts";

export function machineFacts(name: HostLabel): PeerFacts {
  return {
    hostname: name,
    os: operatingSystem().slice(0, 64),
    kernelVersion: release().slice(0, 128),
    version: VERSION.slice(0, 64),
  };
}

/** The requested name, or this machine's host name as a label. */
export function machineName(wanted: HostLabel | null): HostLabel {
  if (wanted !== null) return wanted;
  const label = (hostname().split(".")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return label === "" ? "machine" : label;
}

function operatingSystem(): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readTextFile("/etc/os-release"))?.[1] ?? process.platform;
}

/** Empty if it cannot be read. */
function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
