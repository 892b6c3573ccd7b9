/**
 * An identity provider to try everything with: a process of its own, real HTTP, each public provider's ways
 * by one field of `ProviderSetup`, which can be changed while it runs.
 */
import { resolve } from "node:path";
import { PLAIN_SETUP, type ProviderSeen, type ProviderSetup } from "./provider-setup.ts";

export interface TestProvider extends AsyncDisposable {
  readonly origin: string;
  readonly issuer: string;
  /** Changes some of the setup and forgets what was seen. */
  change(change: Partial<ProviderSetup>): Promise<void>;
  /** The setup it began with, and nothing seen. */
  reset(): Promise<void>;
  /** Signs with a new key from now on, and publishes no other. */
  rotate(): Promise<void>;
  seen(): Promise<ProviderSeen>;
  stop(): Promise<void>;
}

export interface ProviderStart {
  /** Over `PLAIN_SETUP`. */
  readonly setup?: Partial<ProviderSetup>;
  /** Absent: any. */
  readonly port?: number;
  /** Absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Starts it and waits until it listens. */
export async function startProvider(options: ProviderStart = {}): Promise<TestProvider> {
  const setup: ProviderSetup = { ...PLAIN_SETUP, ...options.setup };
  const child = Bun.spawn([process.execPath, resolve(import.meta.dir, "provider-main.ts")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  child.stdin.write(`${JSON.stringify({ setup, port: options.port ?? 0, tls: options.tls ?? null })}\n`);
  await child.stdin.flush();
  const origin = await originOf(child.stdout);
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${origin}${path}`, { ...init, tls: { rejectUnauthorized: false } });
    return response.json();
  };
  const stop = async (): Promise<void> => {
    child.kill();
    await child.exited;
  };
  return {
    origin,
    issuer: `${origin}${setup.issuerPath}`,
    change: async (change) => void (await ask("/control", change)),
    reset: async () => void (await ask("/control", setup)),
    rotate: async () => void (await ask("/control/rotate")),
    seen: async () => (await ask("/control/seen")) as ProviderSeen,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function originOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stdout) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) return (JSON.parse(text) as { origin: string }).origin;
  }
  throw new Error("the provider did not start");
}

/** A port that nobody listens on now, for a provider that comes up later. */
export function freePort(): number {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  if (port === undefined) throw new Error("no port");
  return port;
}
