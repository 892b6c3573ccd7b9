/**
 * The storage that the embedded provider asks for. The database implements it; tests use a map.
 *
 * @module
 */

/** A person who signs in with a password here. */
export interface PasswordAccount {
  /** `sub` of every token. */
  readonly subject: string;
  readonly email: string;
  readonly name: string;
  /** argon2id, as `Bun.password` writes it. */
  readonly passwordHash: string;
  /** Somebody else knows it: nothing but choosing another can be done with it. */
  readonly mustChange: boolean;
}

export interface PasswordAccounts {
  findByEmail(email: string): Promise<PasswordAccount | undefined>;
  find(subject: string): Promise<PasswordAccount | undefined>;
}

/** A record of oidc-provider's own: sessions, interactions, codes, grants. */
export interface PayloadRow {
  readonly model: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly grantId: string | null;
  readonly uid: string | null;
  /** Gone after this. Null: kept until destroyed. */
  readonly expiresAtSeconds: number | null;
}

export interface PayloadStore {
  upsert(row: PayloadRow): Promise<void>;
  /** Expired rows are not found. A consumed one has `consumed`, in seconds, in its payload. */
  find(model: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  findByUid(model: string, uid: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** False when it was consumed before, or is not there: decided by one statement. */
  consume(model: string, id: string, atSeconds: number): Promise<boolean>;
  destroy(model: string, id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}
