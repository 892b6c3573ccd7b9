import { expect, test } from "bun:test";
import { refusalOfUpgrade } from "../../../src/management/web/upgrade.ts";

const path = { clients: "agents", ownOrigin: "https://qf.example.com" };

test.each([
  { name: "a request for a WebSocket", headers: { upgrade: "WebSocket" }, want: undefined },
  {
    name: "one of a page of our own",
    headers: { upgrade: "websocket", origin: path.ownOrigin },
    want: undefined,
  },
  { name: "any other request", headers: {}, want: 426 },
  {
    name: "a page of somebody else's",
    headers: { upgrade: "websocket", origin: "https://evil.example" },
    want: 403,
  },
])("refusalOfUpgrade judges $name", ({ headers, want }) => {
  const request = new Request("https://qf.example.com/agent/v1/sync", { headers: headers as HeadersInit });
  expect(refusalOfUpgrade(request, path)?.status).toBe(want as number);
});

test("refusalOfUpgrade takes no page where there is no origin of our own", () => {
  const headers = { upgrade: "websocket", origin: path.ownOrigin };
  const request = new Request("https://qf.example.com/client/v1/relay", { headers });
  expect(refusalOfUpgrade(request, { clients: "peers", ownOrigin: null })?.status).toBe(403);
});
