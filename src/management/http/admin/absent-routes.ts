/**
 * Empty lists of things that NetBird has and QuFabric does not, so that NetBird's clients show an empty page
 * instead of an error. None of these can be created: POST is 405.
 *
 * @module
 */
import { DnsSettings, Empty, NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import { listingById } from "./paging.ts";
import { requireVisiblePeer } from "./peers-routes.ts";
import { type Route, route } from "./route.ts";

const ABSENT = [
  { path: "/api/networks", what: "Networks behind a peer" },
  { path: "/api/routes", what: "Routes" },
  { path: "/api/dns/nameservers", what: "Nameservers" },
  { path: "/api/dns/zones", what: "Zones of DNS" },
  { path: "/api/locations/countries", what: "Countries that addresses are in" },
  { path: "/api/identity-providers", what: "Identity providers added by request" },
] as const;

export const absentRoutes: readonly Route[] = [
  ...ABSENT.map(({ path, what }) =>
    route({
      method: "get",
      path,
      summary: `${what}: there are none here, the list is empty`,
      access: "read",
      query: PageQuery,
      answer: { listOf: Empty },
      handle: async (call) => listingById(call.query, [], (row) => row),
    }),
  ),
  route({
    method: "get",
    path: "/api/dns/settings",
    summary: "Settings of DNS: there are none here",
    access: "read",
    query: NoQuery,
    answer: { one: DnsSettings },
    handle: async () => ({ disabled_management_groups: [] }),
  }),
  route({
    method: "get",
    path: "/api/peers/:peerId/jobs",
    summary: "Jobs of a peer: there are none here, the list is empty",
    access: "read",
    query: PageQuery,
    answer: { listOf: Empty },
    handle: async (call) => {
      await call.read((tx) => requireVisiblePeer(call, tx, call.user));
      return listingById(call.query, [], (row) => row);
    },
  }),
];
