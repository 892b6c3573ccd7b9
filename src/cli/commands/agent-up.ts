import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultStateDir } from "../../base/state-dir.ts";
import { isClientUp } from "../client-up.ts";
import { command } from "../command.ts";
import { print } from "../output.ts";
import { parseLogLevel, parseRepeated } from "../parse.ts";
import { say } from "../report.ts";
import { login } from "./login.ts";

const off = (description: string) => ({ type: "boolean", description }) as const;
const text = (valueHint: string, description: string) =>
  ({ type: "string", valueHint, description }) as const;

/** What is kept for the next start. */
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
  "require-idp-binding",
  "pin-issuer",
  "pin-audience",
  "ssh-host-key-algorithms",
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
Join this machine to the network as a peer, and serve SSH to others if asked to. On a running agent,
change its flags: what is taken away ends at once.

usage: qf agent up [flags] [--foreground]

joining:
  --management-url URL       management server to join
  --setup-key-file FILE      enrol with the key in this file (-: standard input); without one a person
                             signs in
  --setup-key KEY            the key itself, which others can read while the command starts
  --name NAME                name of this machine (default: its host name)
  --state-dir DIR            where the agent keeps its state (default: /var/lib/qufabric for root,
                             $XDG_STATE_HOME/qufabric for anybody else)

reaching it:
  --listen HOST:PORT|none    where SSH listens for peers (default: 0.0.0.0:22022); with none they come
                             through the relay only
  --advertise HOST:PORT      also tell peers this address; may be given more than once

SSH (everything is off until it is asked for):
  --allow-server-ssh         serve SSH to other peers
  --enable-ssh-root          let policies admit to uid 0
  --enable-ssh-sftp          allow file transfer
  --enable-ssh-local-port-forwarding    allow ssh -L and -D
  --enable-ssh-remote-port-forwarding   allow ssh -R
  --disable-ssh-auth         let machines in by their device keys, and no people
  --ssh-jwt-cache-ttl SECONDS  reuse a login for everybody on this machine (default: 0, sign in each time)
  --plain-ssh-listen HOST:PORT  also serve any SSH client there: PuTTY, a phone, a library. It shows a
                             URL where a person signs in, and takes the one-time code of that page;
                             policies must allow it (allow_unmanaged_devices). Default: off
  --allow-offline-logins     take kept logins while management is away
  --ssh-host-key-algorithms TYPE,...  host keys to offer: ssh-ed25519 (default), ecdsa-sha2-nistp256; the
                             latter too where a client knows no Ed25519
  --require-idp-binding      take only logins signed by the identity provider itself; needs
  --pin-issuer URL           its issuer, and
  --pin-audience ID          the client id of people's own sign-ins there, not that of management's pages,
                             which chooses what these are for; may be given more than once

limits of the SSH server, named as in sshd_config(5); given as "" one is back at its default:
  --ssh-login-grace-time SECONDS      longest from the first byte to a signed-in user (default: 30)
  --ssh-max-auth-tries N              refused keys before a connection ends (default: 6)
  --ssh-max-startups N                connections not signed in yet (default: 256), and
  --ssh-per-source-max-startups N     those of one device or address (default: 64)
  --ssh-per-source-penalties WORDS    how long a device or address that keeps failing is refused: yes, no,
                             or any of authfail:5s noauth:1s grace-exceeded:10s protocol-error:10s
                             invalid-hello:1s min:15s max:10m max-sources:65536 (these are the default)
  --ssh-per-source-penalty-exempt-list CIDR,...  addresses that are never refused so
  --ssh-max-connections-per-user N    live connections of one user (default: 4096)
  --ssh-max-sessions N                shells, commands and transfers of one connection (default: 10)
  --ssh-max-channels N                those and forwarded streams together (default: 256)
  --ssh-max-packet-size BYTES         longest packet of a signed-in user (default: 262144)
  --ssh-client-alive-interval SECONDS  ask clients that say nothing for so long whether they are there
                             (default: 60; 0, never), and end those that leave
  --ssh-client-alive-count-max N      as many of these questions unanswered (default: 10)
  --ssh-idle-timeout SECONDS          end connections that carry nothing for so long (default: 0, never)
  --ssh-max-session-time SECONDS      end connections that last so long (default: 0, never)
A policy may set shorter times. A change of these times counts for live connections as well, the rest
for those to come.

running:
  --foreground               stay attached until stopped
  --log-level LEVEL          error, warn, info or debug (default: QF_LOG_LEVEL, or info). info has a line when
                             a connection opens and one when it ends; debug tells each connection's story

On a person's own computer, without root, a setup key or anything to serve, it signs the person in and
keeps --ssh-jwt-cache-ttl for them, as qf login does.

Every flag is kept for the next start, has an environment twin (QF_ALLOW_SERVER_SSH=1), and is turned
off with --flag=false. Changes need root, or the agent's own user where it runs without root.

examples:
  qf agent up --management-url https://qf.example.com --setup-key-file key --allow-server-ssh
  qf agent up --enable-ssh-root=false
`,
  {
    meta: { name: "up", description: "Join this machine to the network as a peer" },
    args: {
      "management-url": text("url", "Management server"),
      "setup-key-file": text("file", "Enrol with the key in this file"),
      "setup-key": text("key", "Enrol with this key"),
      name: text("name", "Name of this machine"),
      "state-dir": text("dir", "State folder"),
      listen: text("host:port", "Where SSH listens"),
      advertise: text("host:port", "Another address to tell"),
      "allow-server-ssh": off("Serve SSH to other peers"),
      "enable-ssh-root": off("Let policies admit to uid 0"),
      "enable-ssh-sftp": off("Allow file transfer"),
      "enable-ssh-local-port-forwarding": off("Allow ssh -L and -D"),
      "enable-ssh-remote-port-forwarding": off("Allow ssh -R"),
      "disable-ssh-auth": off("Machine identity only"),
      "ssh-jwt-cache-ttl": text("seconds", "Reuse a login"),
      "plain-ssh-listen": text("host:port", "Also serve any SSH client"),
      "allow-offline-logins": off("Take logins while management is away"),
      "require-idp-binding": off("Take only the provider's own tokens"),
      "pin-issuer": text("url", "Issuer of those tokens"),
      "pin-audience": text("id", "Audience of those tokens"),
      "ssh-host-key-algorithms": text("type", "Types of host key to offer"),
      "ssh-login-grace-time": text("seconds", "Longest sign-in"),
      "ssh-max-auth-tries": text("n", "Refused keys of a connection"),
      "ssh-max-startups": text("n", "Connections not signed in yet"),
      "ssh-per-source-max-startups": text("n", "Those of one source"),
      "ssh-per-source-penalties": text("words", "How long failing sources are refused"),
      "ssh-per-source-penalty-exempt-list": text("cidr", "Addresses never refused so"),
      "ssh-max-connections-per-user": text("n", "Live connections of one user"),
      "ssh-max-sessions": text("n", "Sessions of one connection"),
      "ssh-max-channels": text("n", "Channels of one connection"),
      "ssh-max-packet-size": text("bytes", "Longest packet"),
      "ssh-client-alive-interval": text("seconds", "How often a silent client is asked"),
      "ssh-client-alive-count-max": text("n", "Unanswered questions"),
      "ssh-idle-timeout": text("seconds", "Longest silence"),
      "ssh-max-session-time": text("seconds", "Longest connection"),
      foreground: off("Stay attached"),
      "log-level": text("level", "How much it logs"),
    },
    async run({ args }) {
      if (isClient(args)) {
        say(
          "note",
          "nothing is to be served here (--allow-server-ssh), so this signs you in, as qf login does",
        );
        const flags = ["management-url", "ssh-jwt-cache-ttl"] as const;
        return login.dispatch(flags.flatMap((name) => (args[name] ? [`--${name}=${args[name]}`] : [])));
      }
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
      const status = await up({
        given,
        stateDir,
        setupKey,
        warn: (text) => say("warning", text),
        foreground: isAttached,
        logLevel: parseLogLevel(args["log-level"]),
        environment: process.env,
      });
      if (status === null) return;
      for (const problem of status.problems) say("warning", problem);
      const { self, sshServer } = status;
      const plain = (sshServer.plainListen ?? []).map((address) => `, any SSH client on ${address}`).join("");
      const where = sshServer.enabled
        ? `SSH on ${sshServer.listen.join(", ") || "the relay"}${plain}`
        : "SSH off";
      // Several agents with folders of their own may run here; the system's ssh follows the usual one.
      if (self !== null && stateDir === undefined && process.env.QF_STATE_DIR === undefined) {
        const { maybeInstallSshConfig } = await import("../../proxy/ssh-config/offer-ssh-config.ts");
        await maybeInstallSshConfig({ occasion: "agent", domain: self.fullName.slice(self.name.length + 1) });
      }
      await print(`${self?.fullName ?? "this machine"} (${self?.address ?? "no address"}) is up, ${where}\n`);
    },
  },
  { repeatable: ["advertise", "pin-audience"] },
);

/** Whether this is a person's own computer, where `up` is a sign-in. */
function isClient(given: Readonly<Record<string, unknown>>): boolean {
  const flags = Object.entries(given).filter(([name]) => /^[a-z][a-z-]*$/.test(name));
  const stateDir = defaultStateDir(process.geteuid?.() ?? 0, process.env);
  return isClientUp({
    given: Object.fromEntries(flags),
    environment: process.env,
    isRoot: process.geteuid?.() === 0,
    isEnrolled: existsSync(join(stateDir, "agent.json")),
  });
}
