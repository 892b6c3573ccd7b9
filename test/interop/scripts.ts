/** OpenSSH's own regression scripts: which ones apply to a server that is not sshd, and what is known of them. */

/** A script that is run. */
export interface Script {
  readonly name: string;
  /** Scripts of one lane never run at once: they use the same fixed ports. */
  readonly lane?: "ports";
  /** Among those of `make test`: quick, and of something that no other test has. */
  readonly isQuick?: boolean;
  /** Checks in it that can not apply: text of their failure, how many, and why. */
  readonly except?: { readonly says: RegExp; readonly times: number; readonly why: string };
}

export const SCRIPTS: readonly Script[] = [
  { name: "connect", isQuick: true },
  { name: "proxy-connect" },
  { name: "connect-uri" },
  { name: "proto-version" },
  { name: "proto-mismatch" },
  { name: "exit-status" },
  { name: "exit-status-signal" },
  { name: "envpass" },
  { name: "transfer", isQuick: true },
  { name: "banner" },
  { name: "rekey" },
  { name: "stderr-data" },
  { name: "stderr-after-eof" },
  { name: "broken-pipe" },
  { name: "try-ciphers", isQuick: true },
  { name: "yes-head" },
  { name: "login-timeout" },
  { name: "agent" },
  { name: "keyscan" },
  { name: "scp" },
  { name: "scp3" },
  { name: "scp-uri" },
  { name: "sftp" },
  { name: "sftp-cmds" },
  { name: "sftp-badcmds" },
  { name: "sftp-batch" },
  { name: "sftp-glob" },
  { name: "sftp-perm" },
  { name: "sftp-uri" },
  { name: "dynamic-forward", lane: "ports" },
  { name: "forwarding", lane: "ports" },
  { name: "multiplex", lane: "ports" },
  { name: "forward-control", lane: "ports" },
  { name: "percent" },
  { name: "localcommand" },
  { name: "host-expand" },
  { name: "portnum" },
  { name: "kextype" },
  { name: "integrity" },
  { name: "knownhosts" },
  { name: "knownhosts-command" },
  { name: "brokenkeys" },
  { name: "reexec" },
  { name: "channel-timeout" },
];
