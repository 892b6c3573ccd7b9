/**
 * Client of a running agent's control socket.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { FAILURES, type FailureCode, QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { type AgentStatus, ControlAnswer, type ControlRequest } from "../../wire/control.ts";
import { PublicClientFile } from "../../wire/state-file.ts";
import { statePaths } from "../state/state.ts";
import { controlSocketPath } from "./control-path.ts";

/** Longest answer, which is a status with thousands of sessions. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

type Done = Extract<ControlAnswer, { ok: true }>;

/**
 * Sends `request` to the agent of `stateDir`. Throws ERR_UNAVAILABLE if none runs, and the agent's own
 * errors.
 */
export async function askAgent(
  stateDir: string,
  request: ControlRequest,
  timeoutMs = TIMEOUT_MS,
): Promise<Done> {
  const text = await exchange(await findControlSocket(stateDir), request, timeoutMs);
  const parsed = ControlAnswer.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new QfError("ERR_UNAVAILABLE", "the agent gave an answer that this qf cannot read", {
      hint: "restart the agent: it may be of another version",
      cause: parsed.error,
    });
  }
  if (parsed.data.ok) return parsed.data;
  const { code, message, hint } = parsed.data;
  throw new QfError(
    isFailureCode(code) ? code : "ERR_UNAVAILABLE",
    message,
    hint === undefined ? {} : { hint },
  );
}

/** Status of the agent of `stateDir`. Undefined: none runs. */
export async function askStatus(stateDir: string): Promise<AgentStatus | undefined> {
  try {
    return (await askAgent(stateDir, { do: "status" })).status;
  } catch (error) {
    if (error instanceof NotRunning) return undefined;
    throw error;
  }
}

class NotRunning extends QfError {
  constructor(stateDir: string) {
    super("ERR_UNAVAILABLE", `no agent runs on ${stateDir}`, { hint: "start it with qf agent up" });
  }
}

/** The path of the control socket for `stateDir`, whether or not an agent runs. */
export async function findControlSocket(stateDir: string): Promise<string> {
  const paths = statePaths(stateDir);
  const text = await readFile(paths.publicClient, "utf8").catch(() => "");
  const file = PublicClientFile.safeParse(parseJson(text));
  if (file.success && file.data.controlSocket !== undefined) return file.data.controlSocket;
  return controlSocketPath(paths, { uid: process.geteuid?.() ?? 0, runtimeDir: process.env.XDG_RUNTIME_DIR });
}

function exchange(path: string, request: ControlRequest, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (error: QfError) => {
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new QfError("ERR_TIMEOUT", "the agent does not answer", { hint: "look at its log" })),
      timeoutMs,
    );
    socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EACCES") {
        fail(
          new QfError("ERR_PERMISSION", `may not open ${path}`, { hint: "run the same command with sudo" }),
        );
      } else fail(new NotRunning(path));
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) fail(new QfError("ERR_TOO_LARGE", "the agent's answer is too long"));
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
  });
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}
