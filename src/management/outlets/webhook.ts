/**
 * Webhooks by the Standard Webhooks specification: an id, a time, and a signature over both and the body.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import type { OutboundPost } from "../outbound/outbound.ts";

const PREFIX = "whsec_";

/** A new signing secret: 32 random bytes. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(32).toString("base64");
}

/** The signed message to post. `id` is the same at each attempt to deliver it. */
export function signedWebhook(
  secret: string,
  to: { readonly url: string; readonly id: string; readonly nowMs: number; readonly body: string },
): OutboundPost {
  const { url, id, body } = to;
  const seconds = Math.floor(to.nowMs / 1000);
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    url,
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "QuFabric",
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": `v1,${signature}`,
    },
  };
}
