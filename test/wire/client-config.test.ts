import { expect, test } from "bun:test";
import { ClientConfig } from "../../src/wire/client-config.ts";

const config = {
  protocolVersion: 1,
  accountId: "a".repeat(20),
  origin: "https://qf.example.com",
  domain: "qf.internal",
  oidc: {
    issuer: "https://idp.example.com",
    clientId: "qf",
    scope: "openid",
    loopback: true,
    promptLogin: true,
  },
  loginConfirmation: "code",
  loginSecondsMax: 43_200,
};

test("a config of an older server is taken, and hosts of a redirect are loopback ones", () => {
  expect(ClientConfig.safeParse(config).success).toBe(true);
  const withHost = (loopbackHost: string) => ({ ...config, oidc: { ...config.oidc, loopbackHost } });
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    expect(ClientConfig.safeParse(withHost(host)).success).toBe(true);
  }
  for (const host of ["0.0.0.0", "evil.example.com", "localhost.evil.example.com", ""]) {
    expect(ClientConfig.safeParse(withHost(host)).success).toBe(false);
  }
});
