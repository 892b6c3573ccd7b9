/**
 * The agent's service to local programs that do not know qf: `--intercept` and `--resolver`, following
 * changes of their flags.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { createClientApi } from "../../client/client-api.ts";
import type { Asker } from "../../client/target.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import { type HostsFile, hasHostNames, writeHostNames } from "../os/hosts-file.ts";
import { removeLeftGuard } from "../os/redirect-table.ts";
import { forgetResolved } from "../os/resolved.ts";
import { findInterceptedUsers } from "./intercepted-users.ts";
import { type Interceptor, openInterceptor } from "./interceptor.ts";
import { PeerNames } from "./peer-names.ts";
import { followReachable, type ReachableMachine, type ReachableMachines } from "./reachable-machines.ts";

export interface LocalProgramsOptions {
  readonly asker: Asker;
  /** This machine's overlay address. */
  readonly address: string;
  readonly log: Log;
  /** Whether this process may change the packet filter and /etc/hosts. */
  readonly privileged: boolean;
}

type Wanted = Pick<AgentFlagsStored, "intercept" | "resolver">;

/** Creates them for the machine `who` at its management. Nothing happens until `follow`. */
export function createLocalPrograms(
  who: Pick<Asker, "deviceKey" | "clock"> & { readonly enrolled: Enrolled },
  rest: Omit<LocalProgramsOptions, "asker" | "address">,
): LocalPrograms {
  const { accountId, origin, peerId: devicePeerId, address } = who.enrolled;
  const asker = { ...who, api: createClientApi({ url: origin }), scope: { accountId, origin }, devicePeerId };
  return new LocalPrograms({ ...rest, asker, address });
}

export class LocalPrograms {
  readonly #options: LocalProgramsOptions;
  #wanted: Wanted = {};
  #machines: ReachableMachines | null = null;
  #interceptor: Interceptor | null = null;
  readonly #names: PeerNames;
  #problems: readonly string[] = [];
  /** Settles after the last change: changes run one at a time. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: LocalProgramsOptions) {
    this.#options = options;
    const { asker, address, log, privileged } = options;
    this.#names = new PeerNames({ self: { peerId: asker.devicePeerId, address }, log });
    // Left by an agent that was killed.
    if (privileged) removeLeftGuard(asker.devicePeerId);
  }

  /** Current problems, in words for users. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Applies `wanted` from now on. Never rejects: failures become problems. */
  follow(wanted: Wanted): Promise<void> {
    this.#last = this.#last.then(() => this.#follow(wanted));
    return this.#last;
  }

  /** Management is reachable again, and its list of machines may be new. */
  async refresh(): Promise<void> {
    await this.#machines?.refresh();
  }

  /** Undoes everything. */
  close(): Promise<void> {
    return this.follow({});
  }

  async #follow(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    const users = wanted.intercept ?? [];
    const hasWork = users.length > 0 || (wanted.resolver ?? null) !== null;
    this.#problems = [];
    if (hasWork && !this.#options.privileged) {
      this.#problems = ["--intercept and --resolver need root"];
      return;
    }
    if (!hasWork) {
      this.#machines?.close();
      this.#machines = null;
    }
    await this.#attempt(async () => {
      if (users.length > 0) this.#interceptor ??= await openInterceptor(this.#options);
      else this.#closeInterceptor();
    });
    if (hasWork) {
      this.#machines ??= followReachable({
        ...this.#options,
        onChange: () => void this.follow(this.#wanted),
      });
      if (this.#machines.all().length === 0) void this.#machines.refresh();
    }
    const machines = this.#machines?.all() ?? [];
    await this.#attempt(() => this.#applyUsers(machines));
    // Last, since resolved may be slow: cutting users off from machines must not wait for it.
    if (!this.#options.privileged) return;
    await this.#attempt(() => this.#names.set(this.#wanted.resolver ?? null, machines));
  }

  #closeInterceptor(): void {
    const interceptor = this.#interceptor;
    this.#interceptor = null;
    interceptor?.close();
  }

  async #applyUsers(machines: readonly ReachableMachine[]): Promise<void> {
    if (this.#interceptor === null) return;
    const { intercept = [] } = this.#wanted;
    const { byUid, unknown } = await findInterceptedUsers(intercept, nowSeconds(this.#options.asker.clock));
    this.#interceptor.set({ users: byUid, addresses: machines.map(({ address }) => address) });
    if (unknown.length > 0) this.#fail(`no such user or group for --intercept: ${unknown.join(", ")}`);
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#options.log.warn("nothing can be done for other programs of this machine", {}, error);
      this.#fail(isQfError(error) ? error.message : "--intercept and --resolver do not work here");
    }
  }

  #fail(problem: string): void {
    this.#problems = [...this.#problems, problem];
  }
}

/**
 * Removes what a killed agent of machine `peerId` left, when it is not started again. Throws if root cannot
 * remove the names, which would otherwise stay in the hosts file for good.
 */
export async function takeBackLeftovers(peerId: string, file?: HostsFile): Promise<void> {
  removeLeftGuard(peerId);
  await forgetResolved(peerId);
  try {
    if (hasHostNames(peerId, file?.path)) await writeHostNames(peerId, [], file);
  } catch (cause) {
    // Without root we never wrote them.
    if (process.geteuid?.() !== 0) return;
    throw new QfError("ERR_PERMISSION", "the names of peers in /etc/hosts cannot be taken away", {
      hint: "make /etc/hosts writable and run it again, or remove the lines between the marks of qufabric",
      cause,
    });
  }
}
