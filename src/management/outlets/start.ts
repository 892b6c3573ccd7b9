/**
 * Outlets put together for a server, from its options.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { OutletDesk } from "../contracts/outlet-desk.ts";
import type { Store } from "../db/store.ts";
import { createOutbound } from "../outbound/outbound.ts";
import { createOutletDesk } from "./desk.ts";
import { type Mailer, openMailer, type SmtpOptions } from "./mailer.ts";
import { createOutlets } from "./outlets.ts";
import { createSender } from "./sender.ts";

/** Options of `qf management serve` for it. */
export interface OutletOptions {
  /** Address ranges, beside the public internet, that outlets of the log may lead to. */
  readonly allowOutbound?: readonly string[];
  /** Mail server for notifications. Absent: none. */
  readonly smtp?: SmtpOptions;
}

/** The mail server, if there is one. Throws ERR_USAGE for options that cannot be meant. */
export async function checkOutlets({ allowOutbound = [], smtp }: OutletOptions): Promise<Mailer | null> {
  createOutbound({ allow: allowOutbound });
  return smtp === undefined ? null : openMailer(smtp);
}

/** Delivers until closed. */
export function startOutlets(
  { allowOutbound = [] }: OutletOptions,
  on: {
    readonly store: Store;
    readonly clock: Clock;
    readonly log: Log;
    readonly origin: string;
    readonly masterKey: Uint8Array;
    readonly mailer: Mailer | null;
  },
): { readonly desk: OutletDesk; close(): Promise<void> } {
  const { mailer } = on;
  const sender = createSender({ ...on, outbound: createOutbound({ allow: allowOutbound }) });
  const outlets = createOutlets({ ...on, sender });
  outlets.start();
  const desk = createOutletDesk({ ...on, sender, hasMail: mailer !== null });
  return { desk, close: () => outlets.close() };
}
