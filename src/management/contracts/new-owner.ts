/**
 * The first person of a new account, as setup takes them.
 *
 * @module
 */
/** How the owner is proven: a password here, or an identity that another provider vouched for. */
export interface NewOwner {
  readonly email: string;
  readonly passwordHash?: string;
  /** Of an external provider; absent with a password. */
  readonly identity?: { readonly issuer: string; readonly subject: string; readonly name: string };
}
