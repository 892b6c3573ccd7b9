import { expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import { parseSshArgv, type SshInvocation } from "../../src/ssh/argv.ts";
import type { ForwardSpec } from "../../src/ssh/forward-spec.ts";

function parse(line: string): SshInvocation {
  const invocation = parseSshArgv(line === "" ? [] : line.split(" "));
  if (typeof invocation === "string") throw new Error(`${invocation} was read`);
  return invocation;
}

function forward(direction: "local" | "remote", port: number, host?: string, hostPort = 0): ForwardSpec {
  const connect = host === undefined ? null : ({ kind: "tcp", host, port: hostPort } as const);
  return { direction, listen: { kind: "tcp", host: undefined, port }, connect };
}

test.each<[line: string, want: Partial<SshInvocation>]>([
  ["web1", { host: "web1", user: undefined, port: 22, command: undefined, tty: "auto" }],
  ["deploy@web1", { host: "web1", user: "deploy" }],
  ["deploy@corp@web1", { host: "web1", user: "deploy@corp" }],
  ["WEB1.Qf.Internal", { host: "web1.qf.internal" }],
  ["100.64.0.7", { host: "100.64.0.7" }],
  ["-l deploy web1", { user: "deploy" }],
  ["-ldeploy web1", { user: "deploy" }],
  ["-l deploy root@web1", { user: "deploy" }],
  ["-o User=deploy -l root web1", { user: "deploy" }],
  ["-p 2222 web1", { port: 2222 }],
  ["-p2222 web1", { port: 2222 }],
  ["-p 2222 -o Port=2200 web1", { port: 2222 }],
  ["ssh://deploy@web1:2200", { host: "web1", user: "deploy", port: 2200 }],
  ["ssh://web1/", { host: "web1", user: undefined, port: 22 }],
  ["-p 22022 ssh://web1:2200", { port: 22022 }],
  ["web1 uptime", { command: "uptime" }],
  ["web1 df -h", { command: "df -h" }],
  ["web1 ls --help", { command: "ls --help" }],
  ["web1 -l x", { command: "-l x", user: undefined }],
  ["web1 -- ls -la", { command: "ls -la" }],
  ["web1 git -- log", { command: "git -- log" }],
  ["-- web1 ls", { host: "web1", command: "ls" }],
  ["-t web1", { tty: "yes" }],
  ["-tt web1", { tty: "force" }],
  ["-t -t web1", { tty: "force" }],
  ["-T web1", { tty: "no" }],
  ["-o RequestTTY=force web1", { tty: "force" }],
  ["-vvv web1", { verbosity: 3 }],
  ["-vN web1", { verbosity: 1, noSession: true }],
  ["-Nvl deploy web1", { verbosity: 1, noSession: true, user: "deploy" }],
  ["-q web1", { quiet: true }],
  ["-n web1", { noStdin: true }],
  ["-o LogLevel=QUIET web1", { quiet: true }],
  ["-o LogLevel=DEBUG2 web1", { verbosity: 2 }],
  ["-o BatchMode=yes web1", { batchMode: true }],
  ["-oConnectTimeout=3 web1", { connectTimeoutSeconds: 3 }],
  ["-o ServerAliveInterval=15 web1", { serverAliveIntervalSeconds: 15, serverAliveCountMax: 3 }],
  ["-o SendEnv=FOO -o SendEnv=BAR_* web1", { sendEnv: ["FOO", "BAR_*"] }],
  ["-o SetEnv=FOO=a=b web1", { setEnv: { FOO: "a=b" } }],
  ["-e none web1", { escape: null }],
  ["-e ^B web1", { escape: "\u0002" }],
  ["-4 -6 -a -x -k -C web1", { host: "web1" }],
  [
    "-L 8080:db:5432 -L 9090:x:1 web1",
    { forwards: [forward("local", 8080, "db", 5432), forward("local", 9090, "x", 1)] },
  ],
  [
    "-L8080:db:5432 -R 1:a:2 -D 1080 web1",
    { forwards: [forward("local", 8080, "db", 5432), forward("remote", 1, "a", 2), forward("local", 1080)] },
  ],
  ["-oLocalForward=8080:db:5432 web1", { forwards: [forward("local", 8080, "db", 5432)] }],
  ["-L 8080:db:5432 -o ClearAllForwardings=yes web1", { forwards: [] }],
  ["-o ExitOnForwardFailure=yes web1", { exitOnForwardFailure: true }],
  ["web1", { exitOnForwardFailure: false, forwardAgent: false, jump: undefined, stdio: undefined }],
  ["-A web1", { forwardAgent: true }],
  ["-A -a web1", { forwardAgent: false }],
  ["-o ForwardAgent=yes web1", { forwardAgent: true }],
  ["-J gate web1", { jump: "gate" }],
  ["-J none web1", { jump: undefined }],
  [
    "-W db:5432 web1",
    {
      stdio: { kind: "tcp", host: "db", port: 5432 },
      exitOnForwardFailure: true,
      noSession: true,
      tty: "no",
    },
  ],
  [
    "--no-browser --management-url https://qf.example.com web1",
    { noBrowser: true, managementUrl: "https://qf.example.com" },
  ],
  ["--management-url=https://qf.example.com web1", { managementUrl: "https://qf.example.com" }],
])("parseSshArgv reads %p", (line, want) => {
  expect(parse(line)).toMatchObject(want);
});

test("parseSshArgv reads a value with a space after the key, as ssh(1) does", () => {
  expect(parseSshArgv(["-o", "User deploy", "web1"])).toMatchObject({ user: "deploy" });
});

test("parseSshArgv keeps the words of a command as they are, joined by one space", () => {
  expect(parseSshArgv(["web1", "echo", "a  b", "'c'"])).toMatchObject({ command: "echo a  b 'c'" });
});

test("parseSshArgv gives help before the destination only", () => {
  expect(parseSshArgv(["--help"])).toBe("help");
  expect(parseSshArgv(["-V"])).toBe("version");
  expect(parseSshArgv(["-v", "-h", "web1"])).toBe("help");
  expect(parseSshArgv(["web1", "--help"])).toMatchObject({ command: "--help" });
});

test.each([
  ["", "no destination"],
  ["-v", "no destination"],
  ["-p", "needs a value"],
  ["-p 0 web1", "not a port"],
  ["-p 65536 web1", "not a port"],
  ["-p ssh web1", "not a port"],
  ["-Z web1", "-Z is not available"],
  ["-i key web1", "-i is not for qf ssh"],
  ["-F file web1", "-F is not available"],
  ["-X web1", "-X is not available"],
  ["-L 8080 web1", "is not [bind_address:]port:host:hostport"],
  ["-D 1080:db:1 web1", "is not [bind_address:]port"],
  ["-W db web1", "is not host:port"],
  ["-o ExitOnForwardFailure=1 web1", "must be yes or no"],
  ["--uid web1", "unknown option --uid"],
  ["-o ProxyCommand=x web1", "ProxyCommand is not available"],
  ["-o BatchMode=perhaps web1", "must be yes or no"],
  ["-o ConnectTimeout=soon web1", "must be a whole number"],
  ["-o User web1", "is not Key=value"],
  ["-o LogLevel=LOUD web1", "must be one of"],
  ["-e ab web1", "not an escape character"],
  ["@web1", "user before @ is empty"],
  ["deploy@", "not a host name"],
  ["-- -oProxyCommand=x", "not a host name"],
  ["web1;id", "not a host name"],
  ["ssh://web1:99999", "not a port"],
  ["ssh://%zz@web1", "not well formed"],
  ["--management-url", "needs a value"],
])("parseSshArgv refuses %p", (line, want) => {
  let message = "";
  try {
    parse(line);
  } catch (error) {
    if (!(error instanceof QfError)) throw error;
    expect(error.code).toBe("ERR_USAGE");
    message = error.message;
  }
  expect(message).toContain(want);
});
