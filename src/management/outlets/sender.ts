/**
 * Sending to an outlet by the kind of its target: a page of a stream, notices or a test.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import type { BundleLine } from "../../wire/log-api.ts";
import type { OutletRow } from "../db/tables/log-outlets.ts";
import type { Outbound } from "../outbound/outbound.ts";
import type { Mailer } from "./mailer.ts";
import { mailText, type NoticePage, noticesBody, slackBody } from "./notice-text.ts";
import type { Notice } from "./notices.ts";
import { syslogBytes, webhookBody } from "./page.ts";
import { openOutletSecret } from "./secrets.ts";
import { signedWebhook } from "./webhook.ts";

export interface SenderDeps {
  readonly outbound: Outbound;
  /** Null: no mail server is configured. */
  readonly mailer: Mailer | null;
  readonly masterKey: Uint8Array;
  readonly origin: string;
  readonly clock: Clock;
}

type Addressed = Pick<OutletRow, "id" | "accountId" | "target" | "secret">;

export interface Sender {
  /** Resolves once the receiver has them. Throws what `Outbound` throws. */
  sendEntries(outlet: Addressed, lines: readonly BundleLine[]): Promise<void>;
  sendNotices(outlet: Addressed, notices: readonly Notice[]): Promise<void>;
  /** Sends a message that says it is a test. */
  sendTest(outlet: Addressed): Promise<void>;
}

export function createSender(deps: SenderDeps): Sender {
  return new OutletSender(deps);
}

class OutletSender implements Sender {
  readonly #deps: SenderDeps;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  async sendEntries(outlet: Addressed, lines: readonly BundleLine[]): Promise<void> {
    const { outbound, origin, clock } = this.#deps;
    const { accountId, target } = outlet;
    if (target.type === "webhook") {
      const body = webhookBody({ accountId, nowMs: clock.nowMs(), lines });
      return this.#post(outlet, target.url, { id: messageId(outlet, lines), body });
    }
    if (target.type !== "syslog") throw new Error("a stream is a webhook or a syslog server");
    const { host, port, tls } = target;
    const bytes = syslogBytes({ accountId, host: new URL(origin).hostname }, lines);
    await outbound.write({ host, port, tls, bytes });
  }

  async sendNotices(outlet: Addressed, notices: readonly Notice[]): Promise<void> {
    await this.#sendPage(outlet, messageId(outlet, notices), notices);
  }

  async sendTest(outlet: Addressed): Promise<void> {
    const atMs = this.#deps.clock.nowMs();
    const text = "This is a test: what QuFabric sends arrives here.";
    const id = `msg_${outlet.id}_test_${Math.round(atMs)}`;
    const { target } = outlet;
    if (target.type === "syslog") {
      return this.sendEntries(outlet, [{ seq: 0, line: JSON.stringify({ activity_code: "test", text }) }]);
    }
    if (target.type === "webhook") {
      const message = { type: "test", timestamp: new Date(atMs).toISOString(), data: { text } };
      return this.#post(outlet, target.url, { id, body: JSON.stringify(message) });
    }
    await this.#sendPage(outlet, id, [{ topic: "policy_change", seq: 0, atMs, activity: "test", text }]);
  }

  async #sendPage(outlet: Addressed, id: string, notices: readonly Notice[]): Promise<void> {
    const { outbound, mailer, origin, clock } = this.#deps;
    const { accountId, target } = outlet;
    const page: NoticePage = { accountId, origin, nowMs: clock.nowMs(), notices };
    switch (target.type) {
      case "webhook":
        return this.#post(outlet, target.url, { id, body: noticesBody(page) });
      case "slack": {
        const headers = { "content-type": "application/json", "user-agent": "QuFabric" };
        return outbound.post({ url: this.#secretOf(outlet), headers, body: slackBody(page) });
      }
      case "email":
        if (mailer === null) throw noMailServer();
        return mailer.send({ to: target.to, ...mailText(page) });
      case "syslog":
        throw new Error("people do not read syslog");
    }
  }

  #post(outlet: Addressed, url: string, message: { readonly id: string; readonly body: string }) {
    const { outbound, clock } = this.#deps;
    const nowMs = clock.nowMs();
    return outbound.post(signedWebhook(this.#secretOf(outlet), { url, nowMs, ...message }));
  }

  #secretOf(outlet: Addressed): string {
    return openOutletSecret(this.#deps.masterKey, outlet);
  }
}

/** An id that is the same at each attempt to deliver the same page. */
function messageId({ id }: Addressed, page: readonly { readonly seq: number }[]): string {
  return `msg_${id}_${page[0]?.seq ?? 0}_${page.at(-1)?.seq ?? 0}`;
}

function noMailServer(): QfError {
  return new QfError("ERR_UNAVAILABLE", "this server has no mail server", {
    hint: "the operator names one with qf management serve --smtp-url",
  });
}
