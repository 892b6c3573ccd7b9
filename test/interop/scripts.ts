/**
 * OpenSSH's own regression scripts: which of them apply to a server that is not sshd, and why others do not.
 */

/** A script that is run. */
export interface Script {
  readonly name: string;
  /** Scripts of one lane never run at once: they use the same fixed ports. */
  readonly lane?: "ports";
  /** Reaches its server by a ProxyCommand of its own making, which can be that of `qf ssh-config`. */
  readonly isProxied?: boolean;
  /** Among those of `make test`: quick, and of something of its own. */
  readonly isQuick?: boolean;
  /** Text of the script that is replaced, where it would not run anywhere. */
  readonly mend?: readonly [string, string];
  /** Not in Debian's 9.2. */
  readonly isNewer?: boolean;
  /** Checks in it that cannot apply: what they say when they fail, how many there are, and why. */
  readonly except?: Exception;
}

export interface Exception {
  readonly says: RegExp;
  /** How many of them fail. */
  readonly times: number;
  /** How many at least, where it depends on what comes first. Absent: all. */
  readonly timesMin?: number;
  readonly why: string;
  /** Debian's script alone has them; newer ones ask otherwise. */
  readonly isOlder?: true;
}

export const SCRIPTS: readonly Script[] = [
  { name: "agent", isProxied: true, isQuick: true },
  { name: "broken-pipe", isProxied: true, isQuick: true },
  { name: "connect", isProxied: true, isQuick: true },
  { name: "connect-uri", isProxied: true },
  { name: "dynamic-forward", isProxied: true, lane: "ports" },
  {
    name: "envpass",
    isProxied: true,
    isQuick: true,
    except: { says: /^environment not found$/, times: 2, why: "`SetEnv` of sshd_config" },
  },
  { name: "exit-status", isProxied: true },
  { name: "exit-status-signal", isProxied: true, isQuick: true },
  { name: "forwarding", isProxied: true, lane: "ports", isQuick: true },
  { name: "host-expand" },
  { name: "integrity" },
  { name: "kextype", isProxied: true },
  { name: "keyscan" },
  { name: "knownhosts" },
  { name: "localcommand", isProxied: true },
  { name: "login-timeout" },
  {
    name: "multiplex",
    isProxied: true,
    lane: "ports",
    except: {
      says: /^connect to (?:local forward|remote forwarded) path failed$/,
      times: 2,
      why: "they look for sshd's own sentence to a client that is none",
    },
  },
  { name: "percent" },
  { name: "portnum" },
  { name: "proto-version" },
  { name: "proxyjump", isNewer: true },
  {
    name: "proxy-connect",
    except: {
      says: /^bad SSH_CONNECTION|^ssh proxyconnect failed$/,
      times: 2,
      why: "addresses of `sshd -i` without a socket; `user:style` of BSD authentication",
    },
  },
  {
    name: "rekey",
    isProxied: true,
    except: {
      says: /^no rekeying occurred$|^rekeylimit size/,
      times: 7,
      why: "`RekeyLimit` of sshd_config and `sshd -T`; everything the client asks for passes",
      isOlder: true,
      // What it has on standard input goes on coming, and after some megabytes we ask for new keys ourselves
      // where there is a faster cipher: then a check passes by chance.
      timesMin: 1,
    },
  },
  { name: "scp" },
  { name: "scp3", isQuick: true },
  { name: "scp-uri", isProxied: true },
  { name: "sftp" },
  { name: "sftp-badcmds" },
  { name: "sftp-batch", isQuick: true },
  { name: "sftp-cmds" },
  { name: "sftp-glob" },
  {
    name: "sftp-perm",
    except: {
      says: /^(?:blacklisted|no whitelist|postcondition check failed)/,
      times: 50,
      why: "`-P` and `-p` of OpenSSH's sftp-server, lists of operations; `-R` passes",
    },
  },
  { name: "sftp-resume", isNewer: true },
  { name: "sftp-uri", isProxied: true },
  {
    name: "ssh-tty",
    isProxied: true,
    isNewer: true,
    // Meant as a tabulator; to sh(1) it is the letter t, which every PATH and HOME has.
    mend: ["*\\ *|*\\t*) skip", "*\\ *) skip"],
  },
  { name: "stderr-after-eof", isProxied: true },
  { name: "stderr-data", isProxied: true },
  { name: "transfer", isProxied: true, isQuick: true },
  { name: "try-ciphers", isProxied: true, isQuick: true },
  { name: "yes-head", isProxied: true, isQuick: true },
];

/** The checks of a script that cannot apply, of Debian's package or of a newer build. */
export function exceptionOf({ except }: Script, isDebian: boolean): Exception | undefined {
  return except?.isOlder === true && !isDebian ? undefined : except;
}

/** Scripts of releases after Debian's 9.2 that are not run either: see there for why. */
export const NEWER_NOT_APPLICABLE: readonly string[] = [
  "agent-pkcs11-cert",
  "agent-pkcs11-restrict",
  "connect-bigconf",
  "dropbear-ciphers",
  "dropbear-kex",
  "dropbear-server",
  "gss-auth",
  "kbdint",
  "match-subsystem",
  "password",
  "penalty",
  "penalty-expire",
  "pubkey-priority",
  "ssh-pkcs11",
];

/** Scripts that are not run, by the reason. */
export const NOT_APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  "tests a tool of the client alone; no server takes part": [
    "agent-getpeereid",
    "agent-pkcs11",
    "agent-pkcs11-cert",
    "agent-pkcs11-restrict",
    "agent-ptrace",
    "agent-subprocess",
    "agent-timeout",
    "keygen-change",
    "keygen-comment",
    "keygen-convert",
    "keygen-knownhosts",
    "keygen-moduli",
    "keygen-sshfp",
    "krl",
    "sshcfgparse",
    "cfginclude",
    "sshsig",
    "sshfp-connect",
    "knownhosts-command",
    "valgrind-unit",
    "pubkey-priority",
    "ssh-pkcs11",
    "dropbear-server",
  ],
  "tests options of sshd_config, which there is none of": [
    "addrmatch",
    "allow-deny-users",
    "authinfo",
    "banner",
    "cfgmatch",
    "cfgmatchlisten",
    "cfgparse",
    "channel-timeout",
    "connection-timeout",
    "forcecommand",
    "forward-control",
    "multipubkey",
    "reconfigure",
    "servcfginclude",
    "sftp-chroot",
    "connect-bigconf",
    "match-subsystem",
    "penalty",
    "penalty-expire",
  ],
  "tests authorized_keys and its commands: here a certificate and a policy say who comes in": [
    "brokenkeys",
    "cert-file",
    "cert-userkey",
    "key-options",
    "keys-command",
    "keytype",
    "limit-keytype",
    "principals-command",
  ],
  "tests host keys that sshd is given: here machines make Ed25519 and P-256 and register them": [
    "cert-hostkey",
    "hostkey-agent",
    "hostkey-rotate",
  ],
  "tests how the processes of sshd are made": ["connect-privsep", "proto-mismatch", "reexec"],
  "tests what is not offered, on purpose: host-based sign-in, key restrictions by host, group exchange": [
    "agent-restrict",
    "dhgex",
    "hostbased",
  ],
  "tests passwords and Kerberos of the machine: here a certificate or the provider's page signs in": [
    "gss-auth",
    "kbdint",
    "password",
  ],
  "needs clients with a plain key of their own; plink, psftp and dbclient have tests of ours": [
    "conch-ciphers",
    "dropbear-ciphers",
    "dropbear-kex",
    "putty-ciphers",
    "putty-kex",
    "putty-transfer",
    "ssh-com",
    "ssh-com-client",
    "ssh-com-keygen",
    "ssh-com-sftp",
  ],
  "measures, and `make bench` does that": ["cipher-speed"],
};

/** Files of that folder that are no tests but parts of them. */
export const HELPERS: readonly string[] = ["scp-ssh-wrapper", "ssh2putty", "sshd-log-wrapper", "test-exec"];
