/** The embedded provider's storage in a map, for tests without a database. */
import type { PasswordAccount, PasswordAccounts, PayloadStore } from "../../src/management/idp/store.ts";

export function fakePayloads(): PayloadStore & { size(): number } {
  type Entry = {
    payload: Record<string, unknown>;
    grantId: string | null;
    uid: string | null;
    model: string;
  };
  const rows = new Map<string, Entry>();
  return {
    size: () => rows.size,
    async upsert({ model, id, payload, grantId, uid }) {
      rows.set(`${model} ${id}`, { payload: structuredClone(payload), grantId, uid, model });
    },
    async find(model, id) {
      return structuredClone(rows.get(`${model} ${id}`)?.payload);
    },
    async findByUid(model, uid) {
      return structuredClone(
        [...rows.values()].find((row) => row.model === model && row.uid === uid)?.payload,
      );
    },
    async consume(model, id, atSeconds) {
      const row = rows.get(`${model} ${id}`);
      if (row === undefined || row.payload.consumed !== undefined) return false;
      row.payload.consumed = atSeconds;
      return true;
    },
    async destroy(model, id) {
      rows.delete(`${model} ${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key);
    },
  };
}

export function fakeAccounts(accounts: readonly PasswordAccount[]): PasswordAccounts {
  return {
    findByEmail: async (email) => accounts.find((one) => one.email === email),
    find: async (subject) => accounts.find((one) => one.subject === subject),
  };
}
