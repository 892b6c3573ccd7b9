import { expect, test } from "bun:test";
import { newWebhookSecret, signedWebhook } from "../../../src/management/outlets/webhook.ts";

test("signedWebhook signs as the example of Standard Webhooks", () => {
  const { headers } = signedWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    url: "https://hook.example.com/",
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    nowMs: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  });
  expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  expect(headers["webhook-timestamp"]).toBe("1614265330");
});

test("newWebhookSecret makes 32 bytes, another each time", () => {
  const [one, other] = [newWebhookSecret(), newWebhookSecret()];
  expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(one).not.toBe(other);
});
