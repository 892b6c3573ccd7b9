/** A NetBird server as far as `qf import netbird` reads it: lists in the shapes of its REST API. */

const TIMES = { created_at: "2025-01-01T00:00:00Z", last_login: "2025-01-02T00:00:00Z" };
const group = (id: string, name: string) => ({
  ...{ id, name, issued: "api", peers: null, peers_count: 0, resources: null, resources_count: 0 },
});
const ALL = group("g0", "All");
const DEVS = group("g1", "Developers");
const WEB = group("g2", "Web servers");

const user = (change: Record<string, unknown>) => ({
  ...{ id: "auth0|ada", email: "ada@example.com", name: "Ada", role: "user", status: "active" },
  ...{ auto_groups: ["g1"], is_service_user: false, is_blocked: false, is_current: false, issued: "api" },
  ...{ last_login: TIMES.last_login, permissions: null, pending_approval: false, ...change },
});

const key = (change: Record<string, unknown>) => ({
  ...{ id: "1", key: "A616C****", name: "web", type: "reusable", valid: true, revoked: false, used_times: 3 },
  ...{ expires: "2126-01-01T00:00:00Z", auto_groups: ["g2", "g0"], usage_limit: 0, ephemeral: false },
  ...{ state: "valid", last_used: TIMES.last_login, updated_at: TIMES.created_at, ...change },
});

/** A rule that a developer may log in by, changed. */
export const netBirdRule = (change: Record<string, unknown> = {}) => ({
  ...{ id: "r1", name: "deploy", description: "", enabled: true, action: "accept", bidirectional: false },
  ...{ protocol: "netbird-ssh", sources: [DEVS], destinations: [WEB] },
  ...{ authorized_groups: { g1: ["deploy"] }, ...change },
});

export const netBirdPolicy = (rules: unknown[], change: Record<string, unknown> = {}) => ({
  ...{
    id: "p1",
    name: "deploy",
    description: "",
    enabled: true,
    source_posture_checks: [],
    rules,
    ...change,
  },
});

/** An account with a little of everything. */
export const NETBIRD = {
  groups: [ALL, DEVS, WEB],
  users: [
    user({}),
    user({ id: "svc-1", name: "ci", email: "", is_service_user: true, role: "admin" }),
    user({ id: "svc-2", name: "old", email: "", is_service_user: true, is_blocked: true }),
  ],
  "setup-keys": [
    key({}),
    key({ id: "2", name: "spent", valid: false, state: "overused" }),
    key({ id: "3", name: "one", type: "one-off", usage_limit: 1, auto_groups: [] }),
  ],
  policies: [
    netBirdPolicy([netBirdRule()]),
    netBirdPolicy([netBirdRule({ protocol: "udp", authorized_groups: undefined })], {
      id: "p2",
      name: "voice",
    }),
  ],
};

/** Serves `account` to whoever has `token`; the paths that were asked for are in `asked`. */
export function serveNetBird(account: Record<string, unknown> = NETBIRD, token = "nbp_secret") {
  const asked: string[] = [];
  const server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(`${request.method} ${pathname}`);
      if (request.headers.get("authorization") !== `Token ${token}`) {
        return Response.json({ message: "token invalid", code: 401 }, { status: 401 });
      }
      const list = account[pathname.replace(/^\/api\//, "")];
      if (list instanceof Response) return list;
      if (list === undefined) return Response.json({ message: "not found", code: 404 }, { status: 404 });
      return Response.json(list);
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, asked, stop: () => server.stop(true) };
}
