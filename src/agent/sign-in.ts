/**
 * Signs a person in for a machine that has no setup key; the audit log names who enrolled it.
 *
 * @module
 */
import { generateEd25519 } from "../base/ed25519.ts";
import { signIn } from "../identity/login.ts";
import type { SignInForMachine } from "./enrol.ts";
import { machineName } from "./facts.ts";
import type { Environment } from "./flags.ts";

export function signInForMachine(name: string | null, environment: Environment): SignInForMachine {
  return async (api, config) => {
    const loginKey = generateEd25519();
    const proof = await signIn({
      api,
      config,
      loginKey,
      deviceName: machineName(name),
      fresh: true,
      environment,
    });
    return { loginKey, proof };
  };
}
