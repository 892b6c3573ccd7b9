import { expect, test } from "bun:test";
import { AccountSettings } from "../../src/wire/account-settings.ts";
import { describeIssues } from "../../src/wire/issues.ts";

/** The fields that every client of NetBird's sends. */
const LEAST = {
  peer_login_expiration_enabled: true,
  peer_login_expiration: 86_400,
  peer_inactivity_expiration_enabled: false,
  peer_inactivity_expiration: 600,
  regular_users_view_blocked: true,
  peer_expose_enabled: false,
};
const said = (change: object): string => {
  const parsed = AccountSettings.safeParse({ ...LEAST, ...change });
  return parsed.success ? "taken" : describeIssues(parsed.error);
};

test.each([
  {},
  { peer_expose_groups: null, jwt_allow_groups: null, ipv6_enabled_groups: null },
  { extra: null, dashboard_features: null, auto_update_version: null },
  { extra: { peer_approval_enabled: true, network_traffic_logs_groups: null } },
  { dns_domain: "", network_range: "", network_range_v6: "" },
  { network_range: "100.100.0.0/16", network_range_v6: "fd00:1234:5678::/64" },
  { some_later_setting: { of: "theirs" } },
])("%j is taken", (change) => {
  expect(said(change)).toBe("taken");
});

test.each<[object, string]>([
  [{ require: { recrod: "required" } }, 'unknown field "recrod" in require'],
  [{ dns_domain: "a b" }, "dns_domain is not a DNS name"],
  [{ network_range: "10.0.0.0/8" }, "network_range is not within 100.64.0.0/10, from /10 to /24"],
  [{ max_stale_seconds: null }, "max_stale_seconds is not a number"],
  [{ peer_expose_groups: ["Developers"] }, "peer_expose_groups[0] is not an id"],
])("%j is refused: %s", (change, says) => {
  expect(said(change)).toBe(says);
});

test("a domain is kept in lower case", () => {
  expect(AccountSettings.parse({ ...LEAST, dns_domain: "Corp.Example.org" }).dns_domain).toBe(
    "corp.example.org",
  );
});
