/** ssh2's client, signing in with a certificate as `qf ssh` does, or otherwise than it should. */
import { Client } from "ssh2";
import type { Ed25519Key } from "../../src/base/ed25519.ts";
import { AUTH_METHODS, signInWith } from "../../src/ssh/client-auth.ts";
import type { SshWorld } from "./ssh-world.ts";

export interface SignIn {
  readonly client: Client;
  readonly isIn: boolean;
  /** Every banner before the answer. */
  readonly banner: string;
}

/** Signs in; `signWith` signs for the certificate with a key that is not the certified one. */
export async function signIn(
  world: Pick<SshWorld, "port">,
  credential: {
    readonly loginKey: Ed25519Key;
    readonly certificate: Buffer;
    readonly localUser: string;
    readonly signWith?: Ed25519Key;
  },
): Promise<SignIn> {
  const client = new Client();
  let banner = "";
  const isIn = await new Promise<boolean>((resolve) => {
    client.on("banner", (text) => {
      banner += text;
    });
    client
      .on("ready", () => resolve(true))
      .on("error", () => resolve(false))
      .on("close", () => resolve(false));
    client.connect({
      ...{ host: "127.0.0.1", port: world.port, username: credential.localUser, readyTimeout: 10_000 },
      authHandler: [...AUTH_METHODS],
    });
    signInWith(client, {
      key: credential.signWith ?? credential.loginKey,
      certificateBlob: credential.certificate,
    });
  });
  return { client, isIn, banner };
}
