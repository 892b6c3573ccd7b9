import { expect, test } from "bun:test";
import { requireNavigation } from "../../../../src/management/http/dashboard/navigation.ts";

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
