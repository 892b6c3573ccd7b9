/**
 * The options in effect, as `qf ssh -G` prints them: a lower-case key and its value per line, in the order
 * and wording of ssh(1). Pure.
 *
 * @module
 */
import type { SshInvocation } from "./argv.ts";
import type { Endpoint, ForwardSpec } from "./forward-spec.ts";

/** `ownUser`: the default OS user. */
export function effectiveOptions(invocation: SshInvocation, ownUser: string): string {
  const { host, user, port, connectTimeoutSeconds, sendEnv, setEnv, forwards, jump } = invocation;
  const lines: [key: string, value: string][] = [
    ["host", host],
    ["user", user ?? ownUser],
    ["hostname", host],
    ["port", String(port)],
    ["batchmode", yesOrNo(invocation.batchMode)],
    ["exitonforwardfailure", yesOrNo(invocation.exitOnForwardFailure)],
    ["requesttty", TTY[invocation.noSession ? "no" : invocation.tty]],
    ["sessiontype", invocation.noSession ? "none" : "default"],
    ["stdinnull", yesOrNo(invocation.noStdin)],
    ["stricthostkeychecking", "true"],
    ["serveralivecountmax", String(invocation.serverAliveCountMax)],
    ["serveraliveinterval", String(invocation.serverAliveIntervalSeconds)],
    ["loglevel", logLevel(invocation)],
    ...forwards.map(forwardLine),
    ...sendEnv.map((pattern): [string, string] => ["sendenv", pattern]),
    ...Object.entries(setEnv).map(([name, value]): [string, string] => ["setenv", `${name}=${value}`]),
    ["forwardagent", yesOrNo(invocation.forwardAgent)],
    ["connecttimeout", connectTimeoutSeconds === undefined ? "none" : String(connectTimeoutSeconds)],
    ["escapechar", invocation.escape ?? "none"],
    ...(jump === undefined ? [] : [["proxyjump", jump] as [string, string]]),
  ];
  return lines.map(([key, value]) => `${key} ${value}\n`).join("");
}

const TTY = { auto: "auto", no: "false", yes: "true", force: "force" } as const;

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}

function logLevel({ quiet, verbosity }: SshInvocation): string {
  if (quiet) return "SILENT";
  return verbosity === 0 ? "INFO" : `DEBUG${verbosity === 1 ? "" : verbosity}`;
}

function forwardLine({ direction, listen, connect }: ForwardSpec): [string, string] {
  const from =
    listen.kind === "unix"
      ? listen.path
      : listen.host === undefined
        ? String(listen.port)
        : `[${listen.host === "" ? "*" : listen.host}]:${listen.port}`;
  if (connect !== null) return [`${direction}forward`, `${from} ${endpoint(connect)}`];
  return direction === "local" ? ["dynamicforward", from] : ["remoteforward", `${from} [socks]:0`];
}

function endpoint(to: Endpoint): string {
  return to.kind === "unix" ? to.path : `[${to.host}]:${to.port}`;
}
