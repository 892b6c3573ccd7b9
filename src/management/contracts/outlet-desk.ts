/**
 * The door of the REST API to outlets: their secrets, and whether a message arrives.
 *
 * @module
 */
import type { OutletTest } from "../../wire/outlet-api.ts";
import type { OutletRow } from "../db/tables/log-outlets.ts";

export interface OutletDesk {
  /** A secret as it is stored, for the outlet of that id. */
  seal(owner: Pick<OutletRow, "id" | "accountId">, secret: string): string;
  /** The secret again. Throws ERR_STATE_DAMAGED where it is another outlet's. */
  open(outlet: Pick<OutletRow, "id" | "accountId" | "secret">): string;
  /** Sends a test. Never rejects: what is wrong is in the answer. */
  test(outlet: OutletRow): Promise<OutletTest>;
  /** Whether mail can be sent from here. */
  readonly hasMail: boolean;
}
