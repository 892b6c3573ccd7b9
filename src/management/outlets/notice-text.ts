/**
 * Notices as each kind of receiver takes them, with what is its markup escaped.
 *
 * @module
 */
import type { Notice } from "./notices.ts";

/** Notices that are written out in one message; more are counted. */
export const NOTICES_SHOWN_MAX = 20;

export interface NoticePage {
  readonly accountId: string;
  /** Where people look further: the origin of management. */
  readonly origin: string;
  readonly nowMs: number;
  readonly notices: readonly Notice[];
}

/** Body of a webhook. */
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

/** JSON of Slack's incoming webhooks: plain text, no mentions, nothing unfurled. */
export function slackBody(page: NoticePage): string {
  const text = linesOf(page).map(escapeSlack).join("\n");
  return JSON.stringify({ text, mrkdwn: false, link_names: false, unfurl_links: false, unfurl_media: false });
}

/** `<!channel>`, `<@U…>` and links begin with `<`; entities with `&`. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Subject and text of a mail. Nothing of the subject is anybody's but ours. */
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
