import { passOnPostgres } from "../../support/postgres-suites.ts";

passOnPostgres([
  [
    "store and pages",
    [
      "test/management/http/*.test.ts",
      "test/management/http/dashboard/*.test.ts",
      "test/management/db/store.test.ts",
      "test/management/db/tables/peers.test.ts",
      "test/management/db/tables/map-changes.test.ts",
      "test/management/db/tables/web-sessions.test.ts",
      "test/management/maps/*.test.ts",
      "test/management/sync/audit-ingest.test.ts",
      "test/management/log/*.test.ts",
      "test/management/db/tables/log-*.test.ts",
    ],
    150,
  ],
  ["sign-in", ["test/management/login/*.test.ts"], 60],
  ["control links", ["test/management/sync/hub.test.ts", "test/management/sync/handshake.test.ts"], 45],
  ["the relay", ["test/management/relay/hub.test.ts"], 35],
]);
