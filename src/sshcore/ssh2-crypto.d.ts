/** The part of ssh2's crypto that our patch adds. */
declare module "ssh2/lib/protocol/crypto.js" {
  export const chachaPoly: { implementation: import("./chacha-poly.ts").ChaChaPoly | undefined };
}
