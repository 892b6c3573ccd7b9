import { expect, test } from "bun:test";
import {
  requireNavigation,
  requireSignInPage,
} from "../../../../src/management/http/dashboard/navigation.ts";

const asked = (headers: Record<string, string>) => () =>
  requireNavigation(new Request("http://qf.example.com/login/dashboard", { headers }));

test.each([{}, { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }])(
  "a person gets in: %j",
  (headers) => expect(asked(headers as Record<string, string>)).not.toThrow(),
);

test.each([
  { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
  { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
  { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  { "sec-fetch-mode": "navigate", "sec-fetch-dest": "object" },
])("nothing else does: %j", (headers) =>
  expect(asked(headers)).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN" })),
);

const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const SAFARI =
  "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const FORM = { ...NAVIGATION, "sec-fetch-site": "same-origin", "sec-fetch-user": "?1", "user-agent": CHROME };
const { "sec-fetch-user": _, ...UNTOLD } = FORM;
const opened = (method: string, headers: Record<string, string>) => () =>
  requireSignInPage(new Request("http://qf.example.com/login/hosted/x", { method, headers }));

test.each<[method: string, headers: Record<string, string>]>([
  ["GET", {}],
  ["POST", {}],
  // Programs on Node say so much of themselves.
  ["POST", { "sec-fetch-mode": "cors" }],
  ["GET", NAVIGATION],
  ["GET", { ...NAVIGATION, "sec-fetch-site": "cross-site" }],
  ["POST", FORM],
  ["POST", { ...UNTOLD, "user-agent": SAFARI }],
])("a sign-in page answers a person and a program: %s %j", (method, headers) =>
  expect(opened(method, headers)).not.toThrow(),
);

test.each<[method: string, headers: Record<string, string>]>([
  ["GET", { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" }],
  ["GET", { ...NAVIGATION, "sec-fetch-dest": "iframe" }],
  ["GET", { ...NAVIGATION, "sec-fetch-dest": "embed" }],
  ["GET", { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script", "sec-fetch-site": "same-origin" }],
  ["POST", { "sec-fetch-mode": "same-origin", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" }],
  ["POST", { ...FORM, "sec-fetch-site": "cross-site" }],
  ["POST", { ...FORM, "sec-fetch-site": "same-site" }],
  ["POST", { ...FORM, "sec-fetch-site": "none" }],
  // Sent by script, without a press of the person's.
  ["POST", UNTOLD],
  ["POST", { ...UNTOLD, "user-agent": "Mozilla/5.0 (X11; rv:143.0) Gecko/20100101 Firefox/143.0" }],
])("a sign-in page answers no script: %s %j", (method, headers) =>
  expect(opened(method, headers)).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN" })),
);
