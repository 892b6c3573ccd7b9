/**
 * Notices in the format of each kind of receiver, with its markup escaped.
 *
 * @module
 */
import type { Notice } from "./notices.ts";

/** Notices written out in one message. Further ones are only counted. */
export const NOTICES_SHOWN_MAX = 20;

export interface NoticePage {
  readonly accountId: string;
  /** Management's origin, where people look for more. */
  readonly origin: string;
  readonly nowMs: number;
  readonly notices: readonly Notice[];
}

/** The body of a webhook. */
export function noticesBody({ accountId, origin, nowMs, notices }: NoticePage): string {
  const shown = notices.slice(0, NOTICES_SHOWN_MAX);
  return JSON.stringify({
    type: "notices",
    timestamp: new Date(nowMs).toISOString(),
    data: {
      account_id: accountId,
      management: origin,
      notices: shown.map(({ topic, seq, atMs, activity, text }) => {
        return { topic, seq, at: new Date(atMs).toISOString(), activity_code: activity, text };
      }),
      more: notices.length - shown.length,
    },
  });
}

/** JSON for Slack's incoming webhooks: plain text, no mentions, nothing unfurled. */
export function slackBody(page: NoticePage): string {
  const text = linesOf(page).map(escapeSlack).join("\n");
  return JSON.stringify({ text, mrkdwn: false, link_names: false, unfurl_links: false, unfurl_media: false });
}

/** `<!channel>`, `<@U…>` and links begin with `<`; entities with `&`. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Subject and text of a mail. The subject contains only our own text. */
export function mailText(page: NoticePage): { subject: string; text: string } {
  const count = page.notices.length;
  const what = count === 1 ? "1 notice" : `${count} notices`;
  const subject = `QuFabric: ${what} of ${new URL(page.origin).host}`;
  return { subject, text: `${linesOf(page).join("\n")}\n` };
}

function linesOf({ origin, notices }: NoticePage): string[] {
  const shown = notices.slice(0, NOTICES_SHOWN_MAX);
  const more = notices.length - shown.length;
  return [
    ...shown.map(({ text, seq }) => `${text} (event ${seq})`),
    ...(more > 0 ? [`and ${more} more`] : []),
    `Audit log: ${origin}/audit`,
  ];
}
