import { expect, test } from "bun:test";
import { redirectUris } from "../../../src/management/idp/redirect-uris.ts";

const ORIGIN = "https://qf.example.com";

test.each([
  [{ loopback: false, redirectPort: 0, loopbackHost: "127.0.0.1" as const }, []],
  [{ loopback: true, redirectPort: 0, loopbackHost: "127.0.0.1" as const }, ["http://127.0.0.1/callback"]],
  [
    { loopback: true, redirectPort: 8400, loopbackHost: "localhost" as const },
    ["http://localhost:8400/callback"],
  ],
  [{ loopback: true, redirectPort: 8400, loopbackHost: "[::1]" as const }, ["http://[::1]:8400/callback"]],
])("of %p these are registered beside management's own: %p", (oidc, loopback) => {
  const uris = redirectUris({ ...oidc, clientId: "qf-cli", webClientId: "qf-web" }, ORIGIN);
  expect(uris.map(({ uri }) => uri)).toEqual([`${ORIGIN}/login/callback`, ...loopback]);
  expect(uris.map(({ clientId }) => clientId)).toEqual(["qf-web", ...loopback.map(() => "qf-cli")]);
});

test("a dashboard with an origin of its own has one more", () => {
  const oidc = { loopback: false, redirectPort: 0, loopbackHost: "127.0.0.1" as const };
  const clients = { clientId: "qf-cli", webClientId: "qf-web" };
  const uris = redirectUris({ ...oidc, ...clients }, ORIGIN, "https://admin.example.com");
  expect(uris.map(({ uri, clientId }) => [uri, clientId])).toEqual([
    [`${ORIGIN}/login/callback`, "qf-web"],
    ["https://admin.example.com/login/callback", "qf-web"],
  ]);
});
