/**
 * Asks this machine's agent to vouch that our device runs on it, so that the device also counts as in the
 * machine's groups. Without an agent, or without its answer, there is no vouch.
 *
 * @module
 */
import { connect } from "node:net";
import { parseJson } from "../base/files.ts";
import type { RegisterRequest } from "../wire/client-api.ts";
import { CONTROL_REQUEST_BYTES_MAX, ControlAnswer, type ControlRequest } from "../wire/control.ts";

/** Longest wait for the agent, so that it cannot hold up a sign-in. */
const TIMEOUT_MS = 2_000;

/** The vouch for `deviceKey` from the agent at `socketPath`. Undefined: none. Never throws. */
export async function askForVouch(socketPath: string, deviceKey: string): Promise<RegisterRequest["vouch"]> {
  const line = await exchange(socketPath, { do: "vouch", deviceKey }).catch(() => undefined);
  const answer = ControlAnswer.safeParse(parseJson(line ?? ""));
  return answer.success && answer.data.ok ? answer.data.vouch : undefined;
}

function exchange(socketPath: string, request: ControlRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath });
    const fail = (error?: Error) => {
      socket.destroy();
      reject(error ?? new Error("the agent did not answer"));
    };
    let received = "";
    socket.setTimeout(TIMEOUT_MS, () => fail());
    socket.on("error", fail).on("close", () => fail());
    socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("utf8");
      const end = received.indexOf("\n");
      if (end === -1) {
        if (received.length > CONTROL_REQUEST_BYTES_MAX) fail();
        return;
      }
      resolve(received.slice(0, end));
      socket.destroy();
    });
  });
}
