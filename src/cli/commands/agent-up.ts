import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { platform } from "../../base/platform/platform.ts";
import { requireSystem } from "../../base/require-system.ts";
import { defaultStateDir } from "../../base/state-dir.ts";
import { isClientUp } from "../client-up.ts";
import { command } from "../command.ts";
import { print } from "../output.ts";
import { parseLogLevel, parseRepeated } from "../parse.ts";
import { say } from "../report.ts";

const FLAG = { type: "boolean" } as const;
const TEXT = { type: "string" } as const;

/** Flags that are stored for the next start. */
const STORED = [
  "management-url",
  "name",
  "listen",
  "allow-server-ssh",
  "enable-ssh-root",
  "enable-ssh-sftp",
  "enable-ssh-local-port-forwarding",
  "enable-ssh-remote-port-forwarding",
  "disable-ssh-auth",
  "ssh-jwt-cache-ttl",
  "plain-ssh-listen",
  "allow-offline-logins",
  "record-offline",
  "recording-recipients",
  "require-idp-binding",
  "pin-issuer",
  "pin-audience",
  "ssh-host-key-algorithms",
  "intercept",
  "resolver",
  "allow-managed-upgrades",
  "ssh-login-grace-time",
  "ssh-max-auth-tries",
  "ssh-max-startups",
  "ssh-per-source-max-startups",
  "ssh-per-source-penalties",
  "ssh-per-source-penalty-exempt-list",
  "ssh-max-connections-per-user",
  "ssh-max-sessions",
  "ssh-max-channels",
  "ssh-max-packet-size",
  "ssh-client-alive-interval",
  "ssh-client-alive-count-max",
  "ssh-idle-timeout",
  "ssh-max-session-time",
] as const;

export const agentUp = command(
  `
Join this machine to the network as a peer, and optionally serve SSH to others. If the agent is already
running, change its flags; connections that are no longer allowed are closed at once.

usage: qf agent up [flags] [--foreground]

joining:
  --management-url URL       management server to join
  --setup-key-file FILE      enrol with the setup key in this file (- for standard input); without a key
                             a person signs in
  --setup-key KEY            the setup key itself; other users can read it while the command starts
  --name NAME                name of this machine (default: the host name)
  --state-dir DIR            where the agent keeps its state (default: /var/lib/qufabric for root,
                             $XDG_STATE_HOME/qufabric for other users)

reaching it:
  --listen HOST:PORT|none    where SSH listens for peers (default: 0.0.0.0:22022); none accepts
                             connections through the relay only
  --advertise HOST:PORT      also advertise this address to peers; may be repeated

SSH (everything is off by default):
  --allow-server-ssh         serve SSH to other peers
  --enable-ssh-root          let policies allow logins as root (uid 0)
  --enable-ssh-sftp          allow file transfer
  --enable-ssh-local-port-forwarding    allow ssh -L and -D
  --enable-ssh-remote-port-forwarding   allow ssh -R
  --disable-ssh-auth         authenticate machines by their device keys; no person can log in
  --ssh-jwt-cache-ttl SECONDS  reuse logins on this machine (default: 0, sign in each time)
  --plain-ssh-listen HOST:PORT  also serve any SSH client there: PuTTY, a phone, a library. The client
                             shows a URL where a person signs in, and asks for the one-time code from
                             that page. Policies must allow it (allow_unmanaged_devices). Default: off
  --allow-offline-logins     accept stored logins while management is unreachable
  --ssh-host-key-algorithms TYPE,...  host keys to offer: ssh-ed25519 (default) and ecdsa-sha2-nistp256;
                             add the latter for clients without Ed25519
  --require-idp-binding      accept only logins signed by the identity provider itself; requires
  --pin-issuer URL           the issuer of that provider, and
  --pin-audience ID          the client id used when people sign in from qf, not the one of management's
                             pages, whose purpose management chooses; may be repeated

recordings:
  --record-offline           let sessions that must be recorded begin while management cannot store their
                             recordings; this machine keeps these until it can. Default: they do not begin
  --recording-recipients FILE  encrypt for the age recipients in FILE, one a line, whatever the account
                             says; "" restores the account's

programs on this machine that know nothing of qf (Linux, root; "" turns it off):
  --intercept USERS          carry what these users' programs connect to peers, at 22 and 22022: names and
                             @groups, with commas. The peer shows them a page on which a person signs in;
                             a policy must allow it (allow_intercepted, or allow_unmanaged_devices) and let
                             this machine in
  --resolver DOMAIN          give peers that this machine may reach names under DOMAIN, which a name server
                             on a loopback address answers: through systemd-resolved, or in /etc/hosts

upgrades:
  --allow-managed-upgrades   let management have this machine upgrade to releases that the publisher signed,
                             never below the highest that ran here (qf rollout)

limits of the SSH server, named as in sshd_config(5); "" restores the default:
  --ssh-login-grace-time SECONDS      time to sign in, from the first byte (default: 30)
  --ssh-max-auth-tries N              refused keys before a connection ends (default: 6)
  --ssh-max-startups N                most connections that have not signed in (default: 256)
  --ssh-per-source-max-startups N     the same for one device or address (default: 64)
  --ssh-per-source-penalties WORDS    how long to refuse a device or address that keeps failing: yes, no,
                             or any of authfail:5s noauth:1s grace-exceeded:10s protocol-error:10s
                             invalid-hello:1s min:15s max:10m max-sources:65536 (the defaults)
  --ssh-per-source-penalty-exempt-list CIDR,...  addresses exempt from that
  --ssh-max-connections-per-user N    most open connections of one user (default: 4096)
  --ssh-max-sessions N                most shells, commands and transfers of one connection (default: 10)
  --ssh-max-channels N                most sessions and forwarded streams together (default: 256)
  --ssh-max-packet-size BYTES         longest packet from a signed-in user (default: 262144)
  --ssh-client-alive-interval SECONDS  check on a client that has been silent for this long (default: 60; 0
                             means never), and close its connection after
  --ssh-client-alive-count-max N      this many checks without an answer (default: 10)
  --ssh-idle-timeout SECONDS          close connections that are idle for this long (default: 0, never)
  --ssh-max-session-time SECONDS      close connections after this long (default: 0, never)
A policy may set shorter times. A changed time applies to open connections as well, the other limits only to
new ones.

running:
  --foreground               stay in the foreground until stopped
  --log-level LEVEL          error, warn, info or debug (default: QF_LOG_LEVEL, or info). info logs each
                             connection when it opens and when it ends; debug logs every step of it

On a person's own computer, without root, a setup key or anything to serve, this signs the person in and
remembers --ssh-jwt-cache-ttl, as qf login does.

Flags are remembered for the next start. Each can also be set in the environment (QF_ALLOW_SERVER_SSH=1),
and is turned off with --flag=false. Changes need root, or the user that runs the agent.

examples:
  qf agent up --management-url https://qf.example.com --setup-key-file key --allow-server-ssh
  qf agent up --enable-ssh-root=false
`,
  {
    args: {
      "management-url": TEXT,
      "setup-key-file": TEXT,
      "setup-key": TEXT,
      name: TEXT,
      "state-dir": TEXT,
      listen: TEXT,
      advertise: TEXT,
      "allow-server-ssh": FLAG,
      "enable-ssh-root": FLAG,
      "enable-ssh-sftp": FLAG,
      "enable-ssh-local-port-forwarding": FLAG,
      "enable-ssh-remote-port-forwarding": FLAG,
      "disable-ssh-auth": FLAG,
      "ssh-jwt-cache-ttl": TEXT,
      "plain-ssh-listen": TEXT,
      "allow-offline-logins": FLAG,
      "record-offline": FLAG,
      "recording-recipients": TEXT,
      "require-idp-binding": FLAG,
      "pin-issuer": TEXT,
      "pin-audience": TEXT,
      "ssh-host-key-algorithms": TEXT,
      intercept: TEXT,
      resolver: TEXT,
      "allow-managed-upgrades": FLAG,
      "ssh-login-grace-time": TEXT,
      "ssh-max-auth-tries": TEXT,
      "ssh-max-startups": TEXT,
      "ssh-per-source-max-startups": TEXT,
      "ssh-per-source-penalties": TEXT,
      "ssh-per-source-penalty-exempt-list": TEXT,
      "ssh-max-connections-per-user": TEXT,
      "ssh-max-sessions": TEXT,
      "ssh-max-channels": TEXT,
      "ssh-max-packet-size": TEXT,
      "ssh-client-alive-interval": TEXT,
      "ssh-client-alive-count-max": TEXT,
      "ssh-idle-timeout": TEXT,
      "ssh-max-session-time": TEXT,
      foreground: FLAG,
      "log-level": TEXT,
    },
    async run({ args }) {
      if (isClient(args)) {
        say(
          "note",
          "nothing is to be served here (--allow-server-ssh), so this signs you in, as qf login does",
        );
        const { login } = await import("./login.ts");
        const flags = ["management-url", "ssh-jwt-cache-ttl"] as const;
        return login.dispatch(flags.flatMap((name) => (args[name] ? [`--${name}=${args[name]}`] : [])));
      }
      requireSystem(platform.name === "linux", "an agent", "use qf login and qf ssh; machines run Linux");
      const { agentUp: up } = await import("../../agent/lifecycle/up.ts");
      const { "state-dir": stateDir, foreground } = args;
      const setupKey = { key: args["setup-key"], file: args["setup-key-file"] };
      const given: Record<string, string | boolean | string[] | undefined> = {};
      for (const name of STORED) given[name] = args[name];
      if (args.advertise !== undefined) given.advertise = parseRepeated(args.advertise);
      if (args["pin-audience"] !== undefined) {
        given["pin-audience"] = parseRepeated(args["pin-audience"]).join(",");
      }
      const isAttached = foreground === true;
      const isNew = !isEnrolled(stateDir ?? process.env.QF_STATE_DIR);
      const status = await up({
        given,
        stateDir,
        setupKey,
        warn: (text) => say("warning", text),
        note: (text) => say("note", text),
        foreground: isAttached,
        logLevel: parseLogLevel(args["log-level"]),
        environment: process.env,
      });
      if (status === null) return;
      for (const problem of status.problems) say("warning", problem);
      if (isNew && isSuffixed(args.name ?? hostname(), status.self?.name)) {
        say("note", `its name was taken, so this machine is ${status.self?.name}`);
      }
      const { self, sshServer } = status;
      const plain = (sshServer.plainListen ?? []).map((address) => `, any SSH client on ${address}`).join("");
      const where = sshServer.enabled
        ? `SSH on ${sshServer.listen.join(", ") || "the relay"}${plain}`
        : "SSH off";
      // Several agents with their own state folders may run here. The system's ssh uses the default one.
      if (self !== null && stateDir === undefined && process.env.QF_STATE_DIR === undefined) {
        const { maybeInstallSshConfig } = await import("../../proxy/ssh-config/offer-ssh-config.ts");
        await maybeInstallSshConfig({ occasion: "agent", domain: self.fullName.slice(self.name.length + 1) });
      }
      await print(`${self?.fullName ?? "this machine"} (${self?.address ?? "no address"}) is up, ${where}\n`);
    },
  },
  { repeatable: ["advertise", "pin-audience"] },
);

/** Whether a machine that asked for `wanted` got that name with a number appended. */
export function isSuffixed(wanted: string, got: string | undefined): boolean {
  const label = wanted.toLowerCase().split(".")[0] ?? "";
  const rest = got?.startsWith(`${label}-`) === true ? got.slice(label.length + 1) : "";
  return label !== "" && /^\d{1,4}$/.test(rest);
}

/** Whether this is a person's own computer, where `up` is a sign-in. */
function isClient(given: Readonly<Record<string, unknown>>): boolean {
  const flags = Object.entries(given).filter(([name]) => /^[a-z][a-z-]*$/.test(name));
  return isClientUp({
    given: Object.fromEntries(flags),
    environment: process.env,
    isRoot: process.geteuid?.() === 0,
    isEnrolled: isEnrolled(undefined),
  });
}

function isEnrolled(stateDir: string | undefined): boolean {
  const folder = stateDir ?? defaultStateDir(process.geteuid?.() ?? 0, process.env);
  return existsSync(join(folder, "agent.json"));
}
