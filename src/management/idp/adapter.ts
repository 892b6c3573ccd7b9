/**
 * oidc-provider's storage adapter for our database.
 *
 * Ids that are bearer secrets themselves (codes, access tokens) are stored as digests. Session and
 * interaction ids are worthless without the signature of their cookie.
 *
 * @module
 */
import type { Adapter, AdapterPayload } from "oidc-provider";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { isQfError, type QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import type { PayloadRow, PayloadStore } from "./store.ts";

const BEARER_MODELS: readonly string[] = ["AuthorizationCode", "AccessToken"];

/**
 * Creates one adapter per model, as oidc-provider expects. `usedBefore` creates its error for a spent code.
 * `unavailable` creates the error that a waiting client gets when the database cannot be written.
 */
export function createAdapterFactory(deps: {
  readonly payloads: PayloadStore;
  readonly clock: Clock;
  readonly usedBefore: () => Error;
  readonly unavailable: (cause: QfError) => Error;
}): (model: string) => Adapter {
  const { clock } = deps;
  const payloads = { ...deps.payloads, upsert };
  async function upsert(row: PayloadRow): Promise<void> {
    try {
      await deps.payloads.upsert(row);
    } catch (cause) {
      throw isQfError(cause, "ERR_UNAVAILABLE") ? deps.unavailable(cause) : cause;
    }
  }
  return (model) => {
    const isBearer = BEARER_MODELS.includes(model);
    const keyOf = (id: string): string => (isBearer ? sha256(`oidc/${model}/${id}`) : id);
    return {
      async upsert(id, payload, expiresIn) {
        const { jti, ...rest } = payload as Record<string, unknown>;
        await payloads.upsert({
          model,
          id: keyOf(id),
          payload: isBearer ? rest : { ...rest, jti },
          grantId: typeof payload.grantId === "string" ? payload.grantId : null,
          uid: typeof payload.uid === "string" ? payload.uid : null,
          expiresAtSeconds: expiresIn === undefined ? null : nowSeconds(clock) + expiresIn,
        });
      },
      async find(id) {
        const payload = await payloads.find(model, keyOf(id));
        return payload === undefined ? undefined : ({ ...payload, jti: id } as AdapterPayload);
      },
      async findByUid(uid) {
        return (await payloads.findByUid(model, uid)) as AdapterPayload | undefined;
      },
      async findByUserCode() {
        return undefined; // Only the device flow has user codes, and it is off.
      },
      async consume(id) {
        // Of two concurrent requests with one code, both may have found it valid; the second fails here.
        if (!(await payloads.consume(model, keyOf(id), nowSeconds(clock)))) throw deps.usedBefore();
      },
      async destroy(id) {
        await payloads.destroy(model, keyOf(id));
      },
      async revokeByGrantId(grantId) {
        await payloads.revokeByGrantId(grantId);
      },
    };
  };
}
