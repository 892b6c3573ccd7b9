/**
 * Outcomes of checking a signed request, and what the check needs of the agent.
 *
 * @module
 */
import type { CertificateIdentity } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { PeerId } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { Who } from "./authorize.ts";

/** A publickey request that carries a signature. */
export interface SignedRequest {
  readonly localUser: string;
  readonly keyBlob: Buffer;
  readonly signature: Buffer;
  /** The signed bytes: session id and request (RFC 4252 section 7). */
  readonly signedData: Buffer;
  /** The device that the stream's hello proved. Null: no hello. */
  readonly sourcePeerId: PeerId | null;
}

export type Proof =
  | {
      readonly kind: "proven";
      readonly who: Who;
      readonly serial: string | null;
      readonly mapVersion: number;
    }
  /** The identity is known, but the proof is not accepted. */
  | { readonly kind: "refused"; readonly reason: ReasonCode; readonly identity: KnownIdentity }
  | { readonly kind: "unproven"; readonly reason: ReasonCode };

/** Who was refused, for audit. */
interface KnownIdentity {
  /** Null: a person whom the map does not contain. */
  readonly userId: CertificateIdentity["userId"] | null;
  readonly devicePeerId: PeerId | null;
}

export type ProofContext = Pick<
  ServerContext,
  "clock" | "snapshot" | "pinned" | "refreshPinned" | "offlineLogins"
>;
