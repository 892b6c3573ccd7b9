import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import type { Credential } from "../../src/client/credential.ts";
import { handOver } from "../../src/proxy/hand-over.ts";
import { tempFolder } from "../support/temp-folder.ts";

const key = generateEd25519();

function credentialFor(change: Partial<Credential["target"]>): Credential {
  return {
    loginKey: key,
    deviceKey: key,
    certificateBlob: Buffer.from("certificate"),
    devicePeerId: "d".repeat(20),
    scope: { accountId: "a".repeat(20), origin: "http://127.0.0.1:1" },
    isLoginKept: true,
    isOffline: false,
    target: {
      ...{
        peerId: "p".repeat(20),
        name: "web1.qf.internal",
        address: "100.64.0.1",
        hostKeys: [],
        direct: [],
      },
      ...{ connected: true, sshServer: true, machineIdentity: false },
      ...change,
    },
  };
}

test.each<[what: string, target: Partial<Credential["target"]>, code: string]>([
  ["takes the device's key", { machineIdentity: true }, "ERR_SSH"],
  ["serves no SSH", { sshServer: false }, "ERR_PEER_UNREACHABLE"],
])("nothing is written for a machine that %s", async (_what, target, code) => {
  const folder = tempFolder();
  const done = handOver({
    ...{ credential: credentialFor(target), host: "web1.qf.internal", port: 22, passes: false, folder },
    ...{ environment: { QF_CONFIG_DIR: tempFolder() }, caller: undefined, checker: "ssh" },
  });
  await expect(done).rejects.toMatchObject({ code });
  expect(readdirSync(folder)).toEqual([]);
});
