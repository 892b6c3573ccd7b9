/**
 * The forward helper of a connection. The first forward starts it, and a later one restarts it if it has
 * ended.
 *
 * @module
 */
import { type ForwardHelper, openForwardHelper } from "../os/forward-helper.ts";
import { ForwardHelperError } from "../os/forward-helper-error.ts";
import type { LocalAccount } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { ForwardPermit } from "./forward-permit.ts";

/** How long the end of a connection waits for a helper that is still starting. */
const CLOSE_TIMEOUT_MS = 200;

export class ForwardHelpers {
  readonly #context: Pick<ConnectionContext, "containment" | "drop">;
  readonly #onEnded: () => void;
  #helper: Promise<ForwardHelper> | null = null;
  #isClosed = false;

  /** `onEnded`: the helper ended, and its listeners with it. */
  constructor(context: Pick<ConnectionContext, "containment" | "drop">, onEnded: () => void) {
    this.#context = context;
    this.#onEnded = onEnded;
  }

  /** Returns the helper that opens sockets for a permit. Throws ForwardHelperError. */
  async open({ facts }: ForwardPermit<{ readonly account: LocalAccount }>): Promise<ForwardHelper> {
    if (this.#isClosed) throw new ForwardHelperError("failed");
    this.#helper ??= this.#start(facts.account);
    try {
      return await this.#helper;
    } catch (cause) {
      this.#helper = null;
      throw cause;
    }
  }

  /** Ends the helper and every socket it made. Resolves when that is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // A helper that is still starting closes itself.
    const starting = this.#helper?.catch(() => null) ?? null;
    const helper = await Promise.race([starting, Bun.sleep(CLOSE_TIMEOUT_MS).then(() => null)]);
    await helper?.close();
  }

  async #start(account: LocalAccount): Promise<ForwardHelper> {
    const { containment, drop } = this.#context;
    const helper = await openForwardHelper({ account, drop, containment });
    if (this.#isClosed) {
      await helper.close();
      throw new ForwardHelperError("failed");
    }
    void helper.ended.then(() => {
      this.#helper = null;
      this.#onEnded();
    });
    return helper;
  }
}
