/**
 * Starts `qf upgrade` on management's order, as a process that outlives the agent it replaces.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ownCommand } from "../../base/own-command.ts";
import type { UpgradeOrder } from "../../wire/upgrade-report.ts";
import type { Environment } from "../contracts/flags.ts";
import { childEnvironment } from "./spawn-detached.ts";

/** Variables for trusting one's own server, in addition to those that agents inherit. */
const TRUST = ["SSL_CERT_FILE", "SSL_CERT_DIR"] as const;

/** Resolves once it runs. Rejects if the system cannot start it. */
export async function startOrdered(
  { orderId, version }: UpgradeOrder,
  on: { readonly stateDir: string; readonly url: string; readonly environment: Environment },
): Promise<void> {
  const [file, ...before] = ownCommand();
  const args = [
    ...["upgrade", "--order", orderId, "--version", version],
    ...["--management-url", on.url, "--state-dir", on.stateDir],
  ];
  const trust = TRUST.flatMap((name) => (on.environment[name] ? [[name, on.environment[name]]] : []));
  const child = spawn(file, [...before, ...args], {
    cwd: "/",
    env: { ...childEnvironment(on.environment), ...Object.fromEntries(trust) },
    detached: true,
    stdio: "ignore",
  });
  await once(child, "spawn");
  child.unref();
}
