/**
 * The options that every connection to a peer is made with, on each system. The drop-in sets them, and
 * `effective.ts` compares them with what ssh(1) really uses.
 *
 * @module
 */
import type { Platform } from "../../base/platform/platform.ts";

/** What of a system changes the drop-in. */
export type OpensshHere = Pick<Platform, "openssh" | "passesDescriptors">;

const EVERYWHERE = {
  IdentitiesOnly: "yes",
  AddKeysToAgent: "no",
  PreferredAuthentications: "publickey",
  PubkeyAuthentication: "yes",
  PasswordAuthentication: "no",
  KbdInteractiveAuthentication: "no",
  HostbasedAuthentication: "no",
  GlobalKnownHostsFile: "none",
  StrictHostKeyChecking: "yes",
  CheckHostIP: "no",
  UpdateHostKeys: "no",
  VerifyHostKeyDNS: "no",
  NoHostAuthenticationForLocalhost: "no",
  CanonicalizeHostname: "no",
} as const;

/** First, before what ssh(1) would choose: older ones put AES-CTR with a MAC of its own before it. */
const PREFERRED_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com";

/**
 * What ssh(1) has first anyway, and no machine has a host certificate: it changes nothing but that ssh does
 * not run KnownHostsCommand once more, to put algorithms into the order of the keys it knows.
 */
const HOST_KEYS_AS_THEY_ARE = "^ssh-ed25519-cert-v01@openssh.com";

/** Options with one value for every peer. On Windows host keys are in a file for each peer. */
export function fixedOptions(on: OpensshHere): Readonly<Record<string, string>> {
  return {
    ProxyUseFdpass: on.passesDescriptors ? "yes" : "no",
    ...EVERYWHERE,
    ...(on.openssh === "unix" ? { UserKnownHostsFile: "none" } : {}),
  };
}

/** The lines of the drop-in that are the same for every peer. */
export function fixedLines(on: OpensshHere): (readonly [name: string, value: string])[] {
  return [
    ...Object.entries(fixedOptions(on)),
    ["Ciphers", PREFERRED_CIPHERS],
    ["HostKeyAlgorithms", HOST_KEYS_AS_THEY_ARE],
  ];
}
