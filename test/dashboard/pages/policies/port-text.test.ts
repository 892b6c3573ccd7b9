import { expect, test } from "bun:test";
import { portsText, writePorts } from "../../../../src/dashboard/pages/policies/port-text.ts";

test.each<[text: string, fields: object]>([
  ["80 443", { ports: [80, 443] }],
  ["80,443", { ports: [80, 443] }],
  [
    "80 8000-8100",
    {
      port_ranges: [
        { start: 80, end: 80 },
        { start: 8000, end: 8100 },
      ],
    },
  ],
  ["", {}],
  ["http", {}],
])("%j is written as %j", (text, fields) => {
  const rule = writePorts({ ports: [22] }, text);
  expect<object>(rule).toEqual(fields);
  if (Object.keys(fields).length > 0) expect(portsText(rule)).toEqual(text.split(/[ ,]/));
});
