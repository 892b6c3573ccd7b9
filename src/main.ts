/**
 * argv in, exit status out: the only `process.exit`. `ssh` and `proxy` get their arguments as they are,
 * everything else goes through `cli/run.ts`.
 *
 * Nothing is imported here but what `qf version` needs: roles load when chosen.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { VERSION_LINE } from "./base/build-info.ts";
import { compileHotCode } from "./base/jit-policy.ts";
import { keepLoopbackDirect } from "./base/loopback-direct.ts";

/** Exit status when nobody reads our stdout any more: they had what they wanted. */
const EXIT_READER_GONE = 0;
/** Exit status of `qf ssh` when there was no session. */
const EXIT_NO_SESSION = 255;

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === "version" || argv[0] === "--version")) {
  writeSync(1, `${VERSION_LINE}\n`);
} else if (argv[0] === "agent" && argv[1] === "child") {
  // The privileged child of a session: nothing else is loaded, since every session waits for it.
  compileHotCode();
  process.exit(await (await import("./agent/os/child.ts")).runChild());
} else if (argv[0] === "proxy" && argv[1] === "match") {
  // ssh(1) asks before every connection to anything that might be a peer.
  process.exit((await import("./proxy/ssh-config/match.ts")).runMatch(argv.slice(2), process.env));
} else if (argv[0] === "proxy" && (argv[1] === "known-hosts" || argv[1] === "check")) {
  // And the first while a connection waits: what it says it writes itself, so no stream is opened for it. The
  // second lets go of its standard error, of which a stream would hold a copy.
  const { runProxy } = await import("./proxy/run.ts");
  process.exit(await runProxy(argv.slice(1)).catch(fail));
} else {
  if (argv[0] === "proxy" && argv[1] === "connect") {
    // Before anything opens a stream on it.
    (await import("./proxy/caller-stderr.ts")).takeCallerStderr();
  }
  await main();
}

async function main(): Promise<void> {
  keepLoopbackDirect(process.env);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? EXIT_READER_GONE : 1);
    });
  }
  process.on("uncaughtException", (error) => void fail(error));
  process.on("unhandledRejection", (error) => void fail(error));
  try {
    await end(await dispatch(argv));
  } catch (error) {
    await fail(error);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  if (argv[0] === "help" && (argv[1] === "ssh" || argv[1] === "proxy")) return dispatch([argv[1], "--help"]);
  if (argv[0] === "ssh") {
    (await import("./wire/jitless.ts")).parseWithoutCompiling();
    return (await import("./ssh/run.ts")).runSsh(argv.slice(1));
  }
  if (argv[0] === "proxy") return (await import("./proxy/run.ts")).runProxy(argv.slice(1));
  // An agent starts with what it runs once, and does this by itself when it serves.
  if (argv[0] !== "agent" || argv[1] !== "up") compileHotCode();
  return (await import("./cli/run.ts")).runCli(argv, programName());
}

/** What we were called by: `qf`, or `qufabric` through the link. */
function programName(): string {
  return /(?:^|\/)qufabric$/.test(process.argv0) ? "qufabric" : "qf";
}

async function fail(error: unknown): Promise<never> {
  if ((error as NodeJS.ErrnoException | undefined)?.code === "EPIPE") process.exit(EXIT_READER_GONE);
  const { reportError } = await import("./cli/report.ts");
  const status = reportError(error);
  // Of ssh(1) people expect that whatever is not the remote's own failure is 255.
  return end(argv[0] === "ssh" && status === 1 ? EXIT_NO_SESSION : status);
}

/** Ends the process once what was written is handed over. */
async function end(status: number): Promise<never> {
  await Promise.race([
    Promise.all([process.stdout, process.stderr].map((stream) => flush(stream))),
    Bun.sleep(2_000),
  ]);
  process.exit(status);
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
