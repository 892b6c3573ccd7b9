/**
 * Public key sign-in (RFC 4252 section 7) with a WebCrypto key, with or without an OpenSSH certificate.
 *
 * @module
 */
import { SSH } from "../sshcore/permitted.ts";
import { ByteReader, type Bytes, ByteWriter, concat } from "./bytes.ts";
import { printable, SshFailure } from "./failure.ts";
import { ed25519Blob } from "./key-exchange.ts";

const CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com";
const PLAIN_KEY = "ssh-ed25519";
const TEXT_BYTES_MAX = 16_384;
/** Banners accepted before the sign-in is decided. */
const BANNERS_MAX = 16;

export interface SshIdentity {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  /** Certificate blob over the key. Null: the bare key signs in. */
  readonly certificate: Bytes | null;
}

export interface SignInOptions {
  readonly user: string;
  readonly identity: SshIdentity;
  send(payload: Bytes): void;
  /** Called with the banners, once the machine has admitted us. */
  onBanner(text: string): void;
}

export class SignIn {
  readonly #options: SignInOptions;
  readonly #sessionId: Bytes;
  readonly #banners: string[] = [];
  readonly #done = Promise.withResolvers<void>();

  constructor(sessionId: Bytes, options: SignInOptions) {
    this.#sessionId = sessionId;
    this.#options = options;
    options.send(new ByteWriter().uint8(SSH.SERVICE_REQUEST).text("ssh-userauth").done());
  }

  /** Resolves once signed in. Rejects with `denied` and the machine's message. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  fail(failure: SshFailure): void {
    this.#done.reject(failure);
  }

  onMessage(type: number, payload: Bytes): void {
    if (type === SSH.SERVICE_ACCEPT) void this.#request().catch((error) => this.#done.reject(error));
    else if (type === SSH.USERAUTH_BANNER) this.#onBanner(payload);
    else if (type === SSH.USERAUTH_FAILURE) this.#done.reject(this.#denied());
    else if (type === SSH.USERAUTH_SUCCESS) {
      for (const banner of this.#banners) this.#options.onBanner(banner);
      this.#done.resolve();
    } else throw new SshFailure("protocol", "the machine asks something that was not offered");
  }

  async #request(): Promise<void> {
    const { user, identity, send } = this.#options;
    const isPlain = identity.certificate === null;
    const request = new ByteWriter()
      .uint8(SSH.USERAUTH_REQUEST)
      .text(user)
      .text("ssh-connection")
      .text("publickey")
      .bool(true)
      .text(isPlain ? PLAIN_KEY : CERTIFICATE)
      .string(identity.certificate ?? ed25519Blob(identity.publicKey))
      .done();
    const signed = concat(new ByteWriter().string(this.#sessionId).done(), request);
    const bytes = new Uint8Array(await crypto.subtle.sign("Ed25519", identity.privateKey, signed));
    const signature = new ByteWriter().text(PLAIN_KEY).string(bytes).done();
    send(new ByteWriter().raw(request).string(signature).done());
  }

  #onBanner(payload: Bytes): void {
    if (this.#banners.length >= BANNERS_MAX) throw new SshFailure("protocol", "banners without end");
    this.#banners.push(printable(new ByteReader(payload.subarray(1)).text(TEXT_BYTES_MAX)));
  }

  #denied(): SshFailure {
    const said = this.#banners.join("").trim();
    return new SshFailure("denied", said === "" ? "the machine refused the sign-in" : said);
  }
}
