/**
 * Outlets as the REST API needs them: their secrets, and test messages.
 *
 * @module
 */
import type { OutletTest } from "../../wire/outlet-api.ts";
import type { OutletRow } from "../db/tables/log-outlets.ts";

export interface OutletDesk {
  /** Seals a secret for storage with the outlet of that id. */
  seal(owner: Pick<OutletRow, "id" | "accountId">, secret: string): string;
  /** Opens the outlet's secret. Throws ERR_STATE_DAMAGED if it was sealed for another outlet. */
  open(outlet: Pick<OutletRow, "id" | "accountId" | "secret">): string;
  /** Sends a test message. Never rejects: the answer has the failure. */
  test(outlet: OutletRow): Promise<OutletTest>;
  /** Whether this server can send mail. */
  readonly hasMail: boolean;
}
