import { expect, test } from "bun:test";
import { mailText, noticesBody, slackBody } from "../../../src/management/outlets/notice-text.ts";
import type { Notice } from "../../../src/management/outlets/notices.ts";

const notice = (text: string, seq = 7): Notice => ({
  ...{ topic: "policy_change", seq, atMs: 0, activity: "policy.update", text },
});
const page = (notices: readonly Notice[]) => ({
  ...{ accountId: "acc", origin: "https://qf.example.com", nowMs: 0, notices },
});

test("noticesBody has each notice with its number", () => {
  expect(JSON.parse(noticesBody(page([notice("Ada: policy update")])))).toEqual({
    type: "notices",
    timestamp: "1970-01-01T00:00:00.000Z",
    data: {
      account_id: "acc",
      management: "https://qf.example.com",
      notices: [
        {
          topic: "policy_change",
          seq: 7,
          at: "1970-01-01T00:00:00.000Z",
          activity_code: "policy.update",
          text: "Ada: policy update",
        },
      ],
      more: 0,
    },
  });
});

test("slackBody mentions nobody, links nothing and unfurls nothing", () => {
  const hostile = "<!channel> <@U123> <https://evil.example|here> & *bold*";
  const { text, ...rest } = JSON.parse(slackBody(page([notice(hostile)])));
  expect(text).toContain("&lt;!channel&gt; &lt;@U123&gt; &lt;https://evil.example|here&gt; &amp; *bold*");
  expect(text).not.toContain("<");
  expect(rest).toEqual({ mrkdwn: false, link_names: false, unfurl_links: false, unfurl_media: false });
});

test("mailText has nothing of anybody's in its subject", () => {
  const { subject, text } = mailText(page([notice("Subject: pwned")]));
  expect(subject).toBe("QuFabric: 1 notice of qf.example.com");
  expect(text.split("\n")[0]).toBe("Subject: pwned (event 7)");
});

test("many notices are twenty, and a number", () => {
  const many = page(Array.from({ length: 50 }, (_, i) => notice(`n${i}`)));
  expect(JSON.parse(noticesBody(many)).data).toMatchObject({ more: 30 });
  expect(mailText(many).text).toContain("\nand 30 more\n");
});
