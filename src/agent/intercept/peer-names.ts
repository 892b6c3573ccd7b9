/**
 * Publishes names of peers under the `--resolver` domain to programs of this machine. A name server on a
 * loopback address answers them, and systemd-resolved is pointed at it. The names go into /etc/hosts instead
 * where programs do not ask resolved.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import { type HostNames, hasHostNames, writeHostNames } from "../os/hosts-file.ts";
import { forgetResolved, isFound, tellResolved } from "../os/resolved.ts";
import { type NameServer, openNameServer } from "./name-server.ts";
import type { ReachableMachine } from "./reachable-machines.ts";

export interface PeerNamesOptions {
  /** This machine. */
  readonly self: { readonly peerId: string; readonly address: string };
  readonly log: Log;
}

export class PeerNames {
  readonly #options: PeerNamesOptions;
  #server: NameServer | null = null;
  /** The domain registered with resolved. Null: none. */
  #told: string | null = null;
  /**
   * The domain that could not be registered. It is not retried, since that may take long and would delay what
   * follows.
   */
  #untold: string | null = null;
  /** Whether a killed agent may have left a registration. */
  #mayBeLeft = true;
  /** Whether the hosts file holds names that have to be removed again. */
  #hasHosts: boolean;

  constructor(options: PeerNamesOptions) {
    this.#options = options;
    this.#hasHosts = hasHostNames(options.self.peerId);
  }

  /** Where names are answered. Null: nowhere. */
  get server(): Pick<NameServer, "address" | "port"> | null {
    return this.#server;
  }

  /** Publishes the names of `machines` under `domain` from now on. Null: publishes none. */
  async set(domain: string | null, machines: readonly ReachableMachine[]): Promise<void> {
    if (domain === null) return await this.#clear();
    const { self, log } = this.#options;
    const hosts = machines.map((one) => namesOf(one, domain));
    const addresses = new Map(hosts.flatMap(({ address, names }) => names.map((name) => [name, address])));
    // Names in the hosts file need no server.
    this.#server ??= await openNameServer({ self: self.address, log }).catch((cause: unknown) => {
      log.warn("there is no name server for --resolver", {}, cause);
      return null;
    });
    this.#server?.set({ domain, addresses });
    await this.#tell(domain, hosts[0]);
    await this.#writeHosts(this.#told === null ? hosts : []);
  }

  /** Registers `domain` with resolved. `some`: a name to test the registration with. */
  async #tell(domain: string, some: HostNames | undefined): Promise<void> {
    const { self, log } = this.#options;
    const server = this.#server;
    if (server === null) return await this.#forget();
    if (this.#untold === domain) return;
    const isAnswered = () =>
      some === undefined ? true : isFound({ name: some.names[0] ?? "", address: some.address });
    if (this.#told === domain && (await isAnswered())) return;
    await this.#forget();
    const { address, port } = server;
    const isTold = (await tellResolved(self.peerId, { address, port, domain })) && (await isAnswered());
    this.#told = isTold ? domain : null;
    this.#untold = isTold ? null : domain;
    if (!isTold) await forgetResolved(self.peerId);
    log.info("names of peers are answered", { domain, address, port, resolved: this.#told !== null });
  }

  /** Takes a registration back, a killed agent's too. */
  async #forget(): Promise<void> {
    if (this.#mayBeLeft || this.#told !== null) await forgetResolved(this.#options.self.peerId);
    this.#mayBeLeft = false;
    this.#told = null;
  }

  async #clear(): Promise<void> {
    await this.#forget();
    this.#untold = null;
    this.#server?.close();
    this.#server = null;
    await this.#writeHosts([]);
  }

  async #writeHosts(hosts: readonly HostNames[]): Promise<void> {
    if (hosts.length === 0 && !this.#hasHosts) return;
    await writeHostNames(this.#options.self.peerId, hosts);
    this.#hasHosts = hosts.length > 0;
  }
}

function namesOf({ name, address }: ReachableMachine, domain: string): HostNames {
  return { address, names: [`${name}.${domain}`.toLowerCase()] };
}
