/**
 * Options of ssh(1) that are accepted and ignored with a note, because leaving them out is harmless. None of
 * them changes who is reached, who signs in or what is opened.
 *
 * @module
 */

/** Letters without a value, and what applies here instead. Empty: no note. */
export const SWITCHES_PASSED_OVER: Readonly<Record<string, string>> = {
  "4": "",
  "6": "",
  C: "",
  k: "",
  x: "",
  f: "qf ssh stays in the foreground",
  K: "there is no GSSAPI",
  M: "every qf ssh is a connection of its own",
  y: "all that is said goes to stderr",
};

/** Letters with a value. */
export const VALUES_PASSED_OVER: Readonly<Record<string, string>> = {
  c: "the ciphers are chosen by both ends",
  m: "the ciphers are chosen by both ends",
  E: "all that is said goes to stderr",
  S: "every qf ssh is a connection of its own",
};

const HOST_KEYS = "management names each peer's host keys, and no other is taken";
const SIGN_IN = "you sign in with your identity provider";
const CIPHERS = "the algorithms are chosen by both ends";
const SHARING = "every qf ssh is a connection of its own";

/** Keys of `-o`, in lower case. */
export const KEYS_PASSED_OVER: Readonly<Record<string, string>> = {
  addressfamily: "",
  addkeystoagent: SIGN_IN,
  casignaturealgorithms: CIPHERS,
  checkhostip: HOST_KEYS,
  ciphers: CIPHERS,
  compression: "",
  controlmaster: SHARING,
  controlpath: SHARING,
  controlpersist: SHARING,
  globalknownhostsfile: HOST_KEYS,
  gssapiauthentication: SIGN_IN,
  hashknownhosts: HOST_KEYS,
  hostkeyalgorithms: CIPHERS,
  identitiesonly: SIGN_IN,
  kbdinteractiveauthentication: SIGN_IN,
  kexalgorithms: CIPHERS,
  macs: CIPHERS,
  numberofpasswordprompts: SIGN_IN,
  passwordauthentication: SIGN_IN,
  preferredauthentications: SIGN_IN,
  pubkeyauthentication: SIGN_IN,
  stricthostkeychecking: HOST_KEYS,
  tcpkeepalive: "",
  updatehostkeys: HOST_KEYS,
  userknownhostsfile: HOST_KEYS,
  verifyhostkeydns: HOST_KEYS,
  visualhostkey: "",
};

/** The note for the person. Undefined: none. */
export function passedOverLine(written: string, why: string): string | undefined {
  return why === "" ? undefined : `qf: ${written} is passed over: ${why}`;
}
