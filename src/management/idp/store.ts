/**
 * The storage interface of the embedded provider. The database implements it; tests use a map.
 *
 * @module
 */

/** A person who signs in here with a password. */
export interface PasswordAccount {
  /** `sub` of every token. */
  readonly subject: string;
  readonly email: string;
  readonly name: string;
  /** argon2id in the form that `Bun.password` writes. */
  readonly passwordHash: string;
  /** Someone else knows the password: it can only be used to choose another. */
  readonly mustChange: boolean;
}

export interface PasswordAccounts {
  findByEmail(email: string): Promise<PasswordAccount | undefined>;
  find(subject: string): Promise<PasswordAccount | undefined>;
}

/** One of oidc-provider's own records: session, interaction, code or grant. */
export interface PayloadRow {
  readonly model: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly grantId: string | null;
  readonly uid: string | null;
  /** Not found after this. Null: kept until destroyed. */
  readonly expiresAtSeconds: number | null;
}

export interface PayloadStore {
  upsert(row: PayloadRow): Promise<void>;
  /** Expired rows are not found. A consumed one has `consumed`, in seconds, in its payload. */
  find(model: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  findByUid(model: string, uid: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** False if it was consumed before or does not exist. Decided by one statement. */
  consume(model: string, id: string, atSeconds: number): Promise<boolean>;
  destroy(model: string, id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}
