/**
 * The owner of a new account.
 *
 * @module
 */
/** Proven by a password chosen here, or by an identity at an external provider. */
export interface NewOwner {
  readonly email: string;
  readonly passwordHash?: string;
  /** At an external provider. Absent with a password. */
  readonly identity?: { readonly issuer: string; readonly subject: string; readonly name: string };
}
