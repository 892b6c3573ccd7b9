/**
 * Sign-in of a person for a machine without a setup key. The audit log names the person who enrolled it.
 *
 * @module
 */
import { generateEd25519 } from "../../base/ed25519.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { signIn } from "../../client/login.ts";
import type { Environment } from "../contracts/flags.ts";
import type { SignInForMachine } from "./enrol.ts";
import { machineName } from "./facts.ts";

const NOBODY_TO_ASK =
  "run it in a terminal, or give a setup key: an administrator makes one with qf setup-key create";

export function signInForMachine(name: string | null, environment: Environment): SignInForMachine {
  return async (api, config) => {
    const loginKey = generateEd25519();
    try {
      const deviceName = machineName(name);
      const proof = await signIn({ api, config, loginKey, deviceName, fresh: true, environment });
      return { loginKey, proof };
    } catch (error) {
      if (!isQfError(error, "ERR_LOGIN_REQUIRED")) throw error;
      throw new QfError("ERR_LOGIN_REQUIRED", error.message, { hint: NOBODY_TO_ASK, cause: error });
    }
  };
}
