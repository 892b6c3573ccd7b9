/**
 * Approvals of sign-ins without a certificate, as the SSH server requests them. Implemented by
 * `control-link/approvals.ts`, which asks management.
 *
 * @module
 */
import type { ApprovalAnswer } from "../../wire/agent-sync.ts";
import type { LocalUser } from "../../wire/units.ts";

/** What an approval is bound to, besides this machine. */
export interface ApprovalSubject {
  readonly connectionId: string;
  /** SHA-256 of the SSH session id, base64url. */
  readonly sessionIdHash: string;
  readonly localUser: LocalUser;
  readonly sourceAddress: string;
}

export type OpenedApproval =
  | {
      readonly kind: "opened";
      readonly approvalId: string;
      readonly url: string;
      readonly expiresAtSeconds: number;
    }
  /** `full`: too many are pending. `unavailable`: management does not answer. */
  | { readonly kind: "full" | "unavailable" };

/** Requests of the SSH server. None throws or rejects. */
export interface Approvals {
  open(subject: ApprovalSubject): Promise<OpenedApproval>;
  /** `unavailable` does not count as a try. */
  claim(
    subject: ApprovalSubject,
    typed: { readonly approvalId: string; readonly code: string },
  ): Promise<ApprovalAnswer | { readonly status: "unavailable" }>;
  /** Call it when the connection is gone. */
  close(approvalId: string): void;
}
