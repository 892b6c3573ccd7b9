/**
 * Start of a server's outlets, from its options.
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

/** The options of `qf management serve` for outlets. */
export interface OutletOptions {
  /** Address ranges that outlets may reach besides the public internet. */
  readonly allowOutbound?: readonly string[];
  /** The mail server for notifications. Absent: none. */
  readonly smtp?: SmtpOptions;
}

/** Opens the mailer, if configured. Throws ERR_USAGE for invalid options. */
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
