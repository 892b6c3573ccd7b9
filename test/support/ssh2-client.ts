/** ssh2's client as its users have it, signed in at sshd by a key or at a machine of ours by an approval. */
import { readFileSync } from "node:fs";
import { Client, type ConnectConfig } from "ssh2";
import type { BesideSshd } from "./beside-sshd.ts";
import { signIn } from "./sign-in.ts";

/** Connects to `side`. The rule has to allow devices that are not registered. */
export function connectSsh2(
  { machine, sshd }: BesideSshd,
  side: "sshd" | "qf",
  options: ConnectConfig = {},
): Promise<Client> {
  const client = new Client();
  const common = { host: "127.0.0.1", username: machine.account.name, readyTimeout: 15_000, ...options };
  return new Promise((resolve, reject) => {
    client.once("ready", () => resolve(client)).once("error", reject);
    if (side === "sshd") {
      client.connect({ ...common, port: sshd.port, privateKey: readFileSync(sshd.key) });
      return;
    }
    client.on("keyboard-interactive", (_name, text, _language, prompts, finish) => {
      const page = /http\S+/.exec(`${text} ${prompts.map(({ prompt }) => prompt).join(" ")}`)?.[0] ?? "";
      signIn(page, machine.device.person).then(({ code }) => finish([code ?? ""]), reject);
    });
    client.connect({
      ...common,
      port: machine.port,
      tryKeyboard: true,
      authHandler: ["none", "keyboard-interactive"],
    });
  });
}
