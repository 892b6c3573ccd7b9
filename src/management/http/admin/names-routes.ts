/**
 * /api/reserved-names: names of deleted peers, reserved against squatters until an admin releases them.
 *
 * @module
 */
import { Empty, NoQuery, PageQuery, ReservedName } from "../../../wire/admin-query.ts";
import { findReservedName, listReservedNames, releaseName } from "../../db/tables/peers.ts";
import { notFound } from "./access.ts";
import { listing } from "./paging.ts";
import { isoTime, type Route, route } from "./route.ts";

export const nameRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/reserved-names",
    summary: "Names that somebody had and nobody gets",
    access: "read",
    query: PageQuery,
    answer: { listOf: ReservedName },
    handle: (call) =>
      call.read(async (tx) =>
        listing(call.query, await listReservedNames(tx, call.accountId), {
          keyOf: (row) => row.dnsName,
          render: (row): ReservedName => ({
            name: row.dnsName,
            peer_id: row.peerId,
            freed_at: isoTime(row.freedAt),
          }),
        }),
      ),
  }),
  route({
    method: "delete",
    path: "/api/reserved-names/:name",
    summary: "Releases a name: the next peer may have it",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({}, async (tx) => {
        const name = call.param("name");
        const reserved = await findReservedName(tx, call.accountId, name);
        if (reserved === undefined) throw notFound("reserved name");
        await releaseName(tx, call.accountId, name);
        tx.record({ activity: "peer.update", targetId: reserved.peerId, meta: { released: name } });
        return {};
      }),
  }),
];
