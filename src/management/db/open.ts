/**
 * Opens the store that management is configured for: SQLite or PostgreSQL.
 *
 * @module
 */
import { openStore, type Store, type StoreOptions } from "./store.ts";

export interface OpenOptions extends StoreOptions {
  /** Absent: SQLite in the data folder. */
  readonly databaseUrl: string | undefined;
}

/** Throws as `openStore` and `openPostgresStore`. */
export async function openAnyStore(options: OpenOptions): Promise<Store> {
  const { databaseUrl } = options;
  if (databaseUrl === undefined) return openStore(options);
  const { openPostgresStore } = await import("./postgres/store.ts"); // Loaded only when used.
  return openPostgresStore({ ...options, databaseUrl });
}
