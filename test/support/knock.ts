/** Knocks at a machine's direct port as a device of the lab, with a hello of the test's own making. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ed25519FromSeed } from "../../src/base/ed25519.ts";
import { dialDirect } from "../../src/fabric/dial.ts";
import { makeHello } from "../../src/fabric/hello.ts";
import type { LabAgent, LabDevice } from "./lab.ts";

export type Hello = Parameters<typeof makeHello>[0];

/** What a fresh hello of `device` for `agent` is made from. */
export async function helloOf(device: LabDevice, agent: LabAgent, port = 22): Promise<Hello> {
  const { lab, configDir } = device;
  const { seed } = JSON.parse(readFileSync(join(configDir, "device-key.json"), "utf8"));
  const { devices } = JSON.parse(readFileSync(join(configDir, "config.json"), "utf8"));
  const { peerId, accountId } = devices[lab.url];
  return {
    deviceKey: ed25519FromSeed(seed),
    scope: { accountId, origin: lab.url },
    source: peerId,
    target: (await agent.status()).self?.peerId ?? "",
    port,
    nowSeconds: Math.floor(Date.now() / 1000),
  };
}

/** Whether the agent itself, asked by nothing but a hello, lets the device speak to SSH. */
export async function knock(device: LabDevice, agent: LabAgent, port = 22): Promise<"answer" | "silence"> {
  const hello = await helloOf(device, agent, port);
  const addresses = (await agent.status()).sshServer.listen;
  try {
    const { socket } = await dialDirect({ addresses, helloFor: () => makeHello(hello), timeoutMs: 5_000 });
    socket.on("error", () => {}).destroy();
    return "answer";
  } catch {
    return "silence";
  }
}
