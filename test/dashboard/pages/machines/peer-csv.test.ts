import { expect, test } from "bun:test";
import { csvOf } from "../../../../src/dashboard/components/csv.ts";
import { PEER_CSV } from "../../../../src/dashboard/pages/machines/peer-csv.ts";
import { NEVER } from "../../../../src/wire/admin-api.ts";

type Peer = Parameters<(typeof PEER_CSV)[number][1]>[0];

test("a machine is a row with its state and groups; one that was never seen has no time", () => {
  const peer = {
    ...{ id: "p", name: "web1", dns_label: "web1.qf", ip: "100.64.0.1", os: "linux", version: "1" },
    ...{
      groups: [{ name: "All" }, { name: "Servers" }],
      last_seen: NEVER,
      created_at: "2026-11-30T08:00:00Z",
    },
    ...{ blocked: false, approval_required: true, connected: false },
  } as unknown as Peer;
  const cells = csvOf(PEER_CSV, [peer]).split("\r\n")[1]?.split(",");
  expect(cells?.slice(4)).toEqual(["waiting", "All; Servers", "linux", "1", "", "2026-11-30T08:00:00Z"]);
});
