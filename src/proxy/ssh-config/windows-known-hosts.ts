/**
 * The known_hosts file of one peer, which OpenSSH for Windows reads without asking us (`windows-drop-in.ts`).
 *
 * @module
 */
import { join } from "node:path";
import { parseDialledName } from "../../client/peer-name.ts";
import type { TargetInfo } from "../../wire/client-api.ts";
import { SSH_ENDPOINT_PORT } from "../../wire/ports.ts";
import { replaceFile } from "../keys/key-readers.ts";
import { BLOB, HOST_KEYS_MAX, knownHostsLine } from "./known-hosts.ts";

/** Writes the keys of a target for `host`, as ssh was called, at each port that peers serve SSH at. */
export function keepKnownHostsFile(
  folder: string,
  host: string,
  { hostKeys }: Pick<TargetInfo, "hostKeys">,
): void {
  if (parseDialledName(host) !== host) return;
  const blobs = hostKeys.slice(0, HOST_KEYS_MAX).filter((blob) => BLOB.test(blob));
  const lines = blobs.map((blob) => knownHostsLine(`${host},[${host}]:${SSH_ENDPOINT_PORT}`, blob));
  replaceFile(join(folder, `${host}_known`), lines.join(""));
}
