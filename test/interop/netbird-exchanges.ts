/**
 * What NetBird's own clients send, and the status that NetBird answers: facts, as data of our own. The answer
 * here is the same, or `differs` names the row of docs/api.md that says why not.
 *
 * In order: later rows speak of what earlier ones made. `{name}` in a path or a body is the id of what `as`
 * called so; `{account}`, `{owner}`, `{all}`, `{machine}` and `{device}` are there from the start.
 */

export interface Exchange {
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** What NetBird answers. Null: it fails without an answer. */
  readonly theirs: number | null;
  /** Where ours is another: that, and the row of docs/api.md. */
  readonly differs?: { readonly ours: number | readonly number[]; readonly why: string };
  /** Its answer's id is remembered under this name. */
  readonly as?: string;
  /** Without a token. */
  readonly anonymous?: true;
}

type Extra = Pick<Exchange, "differs" | "as" | "anonymous">;
type Body = Readonly<Record<string, unknown>>;

const differs = (ours: number | readonly number[], why: string): Extra => ({ differs: { ours, why } });
const get = (name: string, path: string, theirs: number, more: Extra = {}): Exchange => ({
  ...{ name, method: "GET", path: `/api/${path}`, theirs },
  ...more,
});
const remove = (name: string, path: string, theirs: number, more: Extra = {}): Exchange => ({
  ...{ name, method: "DELETE", path: `/api/${path}`, theirs },
  ...more,
});
const post = (name: string, path: string, body: Body, theirs: number | null, more: Extra = {}): Exchange => ({
  ...{ name, method: "POST", path: `/api/${path}`, body, theirs },
  ...more,
});
const put = (name: string, path: string, body: Body, theirs: number, more: Extra = {}): Exchange => ({
  ...{ name, method: "PUT", path: `/api/${path}`, body, theirs },
  ...more,
});

/** Made, read, written back as it was and deleted; or refused, and then it is not there. */
function life(name: string, path: string, body: Body, more: Extra = {}): Exchange[] {
  const as = name.replaceAll(/\W+/g, "-");
  const gone = more.differs === undefined ? {} : differs([404, 422, 200], more.differs.why);
  return [
    post(`${name}: made`, path, body, 200, { ...more, as }),
    get(`${name}: read`, `${path}/{${as}}`, 200, gone),
    put(`${name}: written back`, `${path}/{${as}}`, body, 200, gone),
    remove(`${name}: deleted`, `${path}/{${as}}`, 200, gone),
  ];
}

/** The seven settings that every client sends. */
const LEAST = {
  peer_login_expiration_enabled: true,
  peer_login_expiration: 86_400,
  peer_inactivity_expiration_enabled: false,
  peer_inactivity_expiration: 600,
  regular_users_view_blocked: true,
  peer_expose_enabled: false,
  peer_expose_groups: [],
};
/** All of them, as a client writes back what it has read: Go's empty lists are null. */
const WHOLE = {
  ...LEAST,
  ...{ agent_network_only: false, auto_update_always: false, auto_update_version: "disabled" },
  ...{ dns_domain: "", embedded_idp_enabled: false, groups_propagation_enabled: false },
  ...{
    ipv6_enabled_groups: null,
    jwt_allow_groups: [],
    jwt_groups_claim_name: "",
    jwt_groups_enabled: false,
  },
  ...{ lazy_connection_enabled: false, local_auth_disabled: false, local_mfa_enabled: false },
  ...{ metrics_push_enabled: false, peer_expose_groups: null, routing_peer_dns_resolution_enabled: false },
  extra: {
    ...{ network_traffic_logs_enabled: false, network_traffic_logs_groups: null },
    ...{ network_traffic_packet_counter_enabled: false, peer_approval_enabled: false },
    user_approval_required: false,
  },
};
const setting = (field: string, value: unknown, theirs = 200): Exchange =>
  put(
    `setting ${field} = ${JSON.stringify(value)}`,
    "accounts/{account}",
    { settings: { ...LEAST, [field]: value } },
    theirs,
  );

const accounts: readonly Exchange[] = [
  get("accounts", "accounts", 200),
  get("accounts without a token", "accounts", 401, { anonymous: true }),
  put(
    "every setting and the onboarding",
    "accounts/{account}",
    { settings: WHOLE, onboarding: { onboarding_flow_pending: true, signup_form_pending: false } },
    200,
  ),
  // Their dashboard sends the account's id along.
  put("the least settings", "accounts/{account}", { id: "{account}", settings: LEAST }, 200),
  setting("routing_peer_dns_resolution_enabled", true),
  setting("lazy_connection_enabled", true),
  setting("auto_update_always", false),
  setting("metrics_push_enabled", false),
  setting("dashboard_features", { agent_network: true }),
  setting("local_auth_disabled", false),
  setting("ipv6_enabled_groups", []),
  setting("network_range", "100.80.0.0/16"),
  setting("network_range", ""),
  setting("network_range_v6", "fd00:a:b::/64"),
  put(
    "settings of groups in tokens, empty",
    "accounts/{account}",
    { settings: { ...LEAST, jwt_groups_enabled: false, jwt_groups_claim_name: "", jwt_allow_groups: [] } },
    200,
  ),
  setting("groups_propagation_enabled", true),
  setting("dns_domain", ""),
  setting("dns_domain", "Net.Example.ORG"),
  setting("extra", { ...WHOLE.extra, peer_approval_enabled: true }),
  setting("peer_login_expiration", 300, 422),
  setting("peer_expose_enabled", true, 422),
  get("accounts afterwards", "accounts", 200),
  remove("an account that is not theirs", "accounts/{none}", 404),
  put("the settings of before", "accounts/{account}", { settings: WHOLE }, 200),
];

/** Names that people give to groups there. */
const NAMES = [
  ...'Ops (US)|A&D|team #2|_private|-dash|D\'Arcy|a;b|50 %|now!|say "x"|<b>|[gcp] dev|K3s: all; nodes'.split(
    "|",
  ),
  ..."x\\y|$PATH|`id`|q?|z*|🚀 launch|ops/eu|a|b".split("|"),
  "dev|ops",
  " ahead",
];

const groups: readonly Exchange[] = [
  post("a group", "groups", { name: "crew" }, 200, { as: "crew" }),
  post("a group by a name in use", "groups", { name: "crew" }, 409),
  post(
    "a group by a name in use, in capitals",
    "groups",
    { name: "CREW" },
    200,
    differs(409, "names in capitals"),
  ),
  post("a group without a name", "groups", { name: "" }, 422),
  ...NAMES.flatMap((name, i) => [
    post(`a group called ${JSON.stringify(name)}`, "groups", { name }, 200, { as: `named${i}` }),
    remove(`the group called ${JSON.stringify(name)} deleted`, `groups/{named${i}}`, 200),
  ]),
  post(
    "a group with a tab in its name",
    "groups",
    { name: "a\tb" },
    200,
    differs(422, "invisible characters"),
  ),
  post("a group of a peer that is not there", "groups", { name: "ghosts", peers: ["{none}"] }, 200, {
    ...differs(422, "unknown ids"),
  }),
  post(
    "a group with a network resource",
    "groups",
    { name: "nets", resources: [{ id: "{none}", type: "host" }] },
    200,
    differs(422, "network resources"),
  ),
  get("a group that is not there", "groups/{none}", 404),
  get("a group whose id is none", "groups/no-such-id", 404),
  get("a group by a name that none has", "groups?name=nobody", 404),
  get("the group All by its name", "groups?name=All", 200),
  post("a group of both peers", "groups", { name: "pair", peers: ["{machine}", "{device}"] }, 200, {
    as: "pair",
  }),
  put("a group renamed, its peers left out", "groups/{pair}", { name: "pair renamed" }, 200),
  get("that group", "groups/{pair}", 200),
  put(
    "its peers given back",
    "groups/{pair}",
    { name: "pair renamed", peers: ["{machine}", "{device}"] },
    200,
  ),
  put(
    "a group renamed to a name in use",
    "groups/{pair}",
    { name: "crew" },
    200,
    differs(409, "names in capitals"),
  ),
  put("the group All renamed", "groups/{all}", { name: "All" }, 422),
  remove("the group All deleted", "groups/{all}", 400),
  remove("a group that is not there deleted", "groups/{none}", 400, differs(404, "what is not there")),
];

const KEY = { name: "fleet", type: "reusable", expires_in: 86_400, auto_groups: [], usage_limit: 0 };
const setupKeys: readonly Exchange[] = [
  post(
    "a setup key",
    "setup-keys",
    // Their dashboard sends `revoked` along.
    { ...KEY, auto_groups: ["{crew}"], ephemeral: true, allow_extra_dns_labels: true, revoked: false },
    200,
    { as: "key" },
  ),
  post("a setup key for one", "setup-keys", { ...KEY, type: "one-off", usage_limit: 1 }, 200),
  post("a setup key without end", "setup-keys", { ...KEY, expires_in: 0 }, 200),
  post("a setup key for an hour", "setup-keys", { ...KEY, expires_in: 3_600 }, 200),
  post("a setup key for two years", "setup-keys", { ...KEY, expires_in: 63_072_000 }, 200),
  post("a setup key that is over", "setup-keys", { ...KEY, expires_in: -1 }, 422),
  post("a setup key whose groups are null", "setup-keys", { ...KEY, auto_groups: null }, 200),
  post("a setup key of a group that is not there", "setup-keys", { ...KEY, auto_groups: ["{none}"] }, 422),
  post("a setup key of a type of its own", "setup-keys", { ...KEY, type: "eternal" }, 422),
  post("a setup key with a name in parentheses", "setup-keys", { ...KEY, name: "CI (prod)" }, 200),
  get("that setup key", "setup-keys/{key}", 200),
  // `name` and `type` go along, as their dashboard sends them.
  put(
    "its groups changed",
    "setup-keys/{key}",
    { name: "fleet", type: "reusable", revoked: false, auto_groups: ["{crew}", "{pair}"] },
    200,
  ),
  put("its groups null", "setup-keys/{key}", { revoked: false, auto_groups: null }, 422),
  put("it revoked", "setup-keys/{key}", { revoked: true, auto_groups: ["{crew}"] }, 200),
  put("it let in again", "setup-keys/{key}", { revoked: false, auto_groups: ["{crew}"] }, 422),
  put("a revoked key without groups", "setup-keys/{key}", { revoked: true, auto_groups: [] }, 200),
  put("a revoked key with a group", "setup-keys/{key}", { revoked: true, auto_groups: ["{crew}"] }, 200),
  remove("a group that a setup key names deleted", "groups/{crew}", 400),
  remove("that setup key deleted", "setup-keys/{key}", 200),
  remove("that setup key deleted again", "setup-keys/{key}", 404),
];

const check = (name: string, checks: Body): Body => ({ name, description: "", checks });
const posture: readonly Exchange[] = [
  get("posture checks", "posture-checks", 200),
  post(
    "a posture check",
    "posture-checks",
    check("version", { nb_version_check: { min_version: "0.20.0" } }),
    200,
    {
      as: "check",
    },
  ),
  post(
    "a posture check by a name in use",
    "posture-checks",
    check("version", { nb_version_check: { min_version: "0.20.0" } }),
    422,
  ),
  ...life(
    "check of a kernel",
    "posture-checks",
    check("kernel", { os_version_check: { linux: { min_kernel_version: "5.4.1" } } }),
  ),
  ...life(
    "check of every system",
    "posture-checks",
    check("systems", {
      os_version_check: {
        ...{
          android: { min_version: "12" },
          ios: { min_version: "17.1.2" },
          darwin: { min_version: "14.3" },
        },
        ...{ linux: { min_kernel_version: "5.4.1" }, windows: { min_kernel_version: "10.0.17763" } },
      },
    }),
  ),
  ...life(
    "check of desktops",
    "posture-checks",
    check("desktops", {
      os_version_check: {
        ...{ darwin: { min_version: "14.3" }, linux: { min_kernel_version: "5.4.1" } },
        windows: { min_kernel_version: "10.0.17763" },
      },
    }),
  ),
  ...life(
    "check of any version",
    "posture-checks",
    check("any", { os_version_check: { darwin: { min_version: "0" }, linux: { min_kernel_version: "0" } } }),
  ),
  ...life(
    "check of a city",
    "posture-checks",
    check("city", {
      geo_location_check: { action: "allow", locations: [{ country_code: "FR", city_name: "Lyon" }] },
    }),
    differs(422, "places and processes"),
  ),
  ...life(
    "check of a country",
    "posture-checks",
    check("country", { geo_location_check: { action: "deny", locations: [{ country_code: "AQ" }] } }),
    differs(422, "places and processes"),
  ),
  ...life(
    "check of networks",
    "posture-checks",
    check("networks", {
      peer_network_range_check: { action: "allow", ranges: ["10.1.0.0/16", "2001:db8:1::/48"] },
    }),
  ),
  ...life(
    "check of a network with host bits",
    "posture-checks",
    check("host bits", { peer_network_range_check: { action: "deny", ranges: ["10.1.0.9/24"] } }),
  ),
  ...life(
    "check of a process",
    "posture-checks",
    check("process", { process_check: { processes: [{ linux_path: "/usr/bin/guard" }] } }),
    differs(422, "places and processes"),
  ),
  ...life(
    "check of a version with v",
    "posture-checks",
    check("v", { nb_version_check: { min_version: "v0.31.2" } }),
  ),
  post("a check of nothing", "posture-checks", check("nothing", {}), 422),
  post(
    "a check of a network that is none",
    "posture-checks",
    check("none", { peer_network_range_check: { action: "allow", ranges: ["here"] } }),
    422,
  ),
  post(
    "a check without checks",
    "posture-checks",
    { name: "bare", description: "" },
    null,
    differs(422, "requests that end there"),
  ),
  post(
    "a check without a name",
    "posture-checks",
    { name: "", description: "" },
    null,
    differs(422, "requests that end there"),
  ),
  get("a check that is not there", "posture-checks/{none}", 404),
  put(
    "a check renamed and changed",
    "posture-checks/{check}",
    check("version 2", { nb_version_check: { min_version: "0.21.0" } }),
    200,
  ),
];

const RULE = {
  ...{ name: "rule", enabled: true, action: "accept", bidirectional: true, protocol: "tcp", ports: ["22"] },
  ...{ sources: ["{crew}"], destinations: ["{pair}"] },
};
const SSH = { ...RULE, protocol: "netbird-ssh", ports: undefined };
/** `query` is what their dashboard still sends; null is how it leaves a field out. */
const policy = (rule: Body, change: Body = {}): Body => ({
  ...{ name: "policy", description: "why", enabled: true, query: "", source_posture_checks: [] },
  rules: [rule],
  ...change,
});
const ruleLife = (name: string, rule: Body, more: Extra = {}): Exchange[] =>
  life(`rule: ${name}`, "policies", policy(rule), more);
const refusedRule = (name: string, rule: Body): Exchange =>
  post(`rule: ${name}`, "policies", policy(rule), 422);
const withoutPorts = { ...RULE, ports: undefined };
const toMachine = { destinations: undefined, destinationResource: { id: "{machine}", type: "peer" } };
const fromMachine = { sources: undefined, sourceResource: { id: "{machine}", type: "peer" } };

const policies: readonly Exchange[] = [
  get("policies", "policies", 200),
  post("a policy", "policies", policy({ ...RULE, description: "rule's" }), 200, { as: "policy" }),
  get("a policy that is not there", "policies/{none}", 404),
  ...ruleLife("every protocol", { ...withoutPorts, protocol: "all" }),
  refusedRule("every protocol, one port", { ...RULE, protocol: "all" }),
  ...ruleLife("every protocol, no ports", { ...RULE, protocol: "all", ports: [] }),
  ...ruleLife("udp", { ...RULE, protocol: "udp", ports: ["53"] }),
  ...ruleLife("icmp", { ...withoutPorts, protocol: "icmp" }),
  ...ruleLife("a drop", { ...RULE, action: "drop" }),
  ...ruleLife("tcp, every port", withoutPorts),
  ...ruleLife("ranges of ports", { ...withoutPorts, port_ranges: [{ start: 3_000, end: 4_000 }] }),
  refusedRule("ports and ranges", { ...RULE, port_ranges: [{ start: 3_000, end: 4_000 }] }),
  ...ruleLife("no ports, and ranges", { ...RULE, ports: [], port_ranges: [{ start: 3_000, end: 4_000 }] }),
  ...ruleLife(
    "a range that ends before it starts",
    { ...withoutPorts, port_ranges: [{ start: 4_000, end: 3_000 }] },
    differs(422, "ranges the wrong way round"),
  ),
  refusedRule("port 0", { ...RULE, ports: ["0"] }),
  refusedRule("a port by its name", { ...RULE, ports: ["https"] }),
  ...ruleLife("ssh as anybody", { ...SSH, bidirectional: false }),
  ...ruleLife("ssh at port 22", { ...SSH, ports: ["22"] }),
  ...ruleLife("ssh, an empty map", { ...SSH, authorized_groups: {} }),
  ...ruleLife("ssh, a null map", { ...SSH, authorized_groups: null, ports: null, port_ranges: null }),
  ...ruleLife("ssh as some", { ...SSH, authorized_groups: { "{crew}": ["root", "deploy"] } }),
  ...ruleLife(
    "ssh as nobody",
    { ...SSH, authorized_groups: { "{crew}": [] } },
    differs(422, "empty lists of local users"),
  ),
  ...ruleLife(
    "ssh for a group that is not there",
    { ...SSH, authorized_groups: { "{crew}": ["root"], "{none}": ["root"] } },
    differs(422, "unknown ids"),
  ),
  ...ruleLife("ssh as a user of a Windows domain", {
    ...SSH,
    authorized_groups: { "{crew}": ["CORP\\ada"] },
  }),
  ...ruleLife("ssh from one peer", { ...SSH, ...fromMachine }),
  ...ruleLife(
    "tcp with local users",
    { ...RULE, authorized_groups: { "{crew}": ["root"] } },
    differs(422, "local users without SSH"),
  ),
  ...ruleLife("to one peer", { ...RULE, ...toMachine }),
  refusedRule("to one peer and an empty list", { ...RULE, ...toMachine, destinations: [] }),
  ...ruleLife(
    "to a network resource",
    { ...RULE, ...toMachine, destinationResource: { id: "{none}", type: "host" } },
    differs(422, "network resources"),
  ),
  refusedRule("from groups and from a peer", { ...RULE, ...fromMachine, sources: ["{crew}"] }),
  ...ruleLife("from nobody", { ...RULE, sources: [] }),
  ...ruleLife("to nowhere", { ...RULE, destinations: [] }),
  ...ruleLife(
    "from a group that is not there",
    { ...RULE, sources: ["{none}"] },
    differs(422, "unknown ids"),
  ),
  ...ruleLife("from a group twice", { ...RULE, sources: ["{crew}", "{crew}"] }),
  ...ruleLife("from a group to itself", { ...RULE, destinations: ["{crew}"] }),
  post("rule: an id of its own", "policies", policy({ ...RULE, id: "{none}" }), 200, { as: "own-id" }),
  get("rule: an id of its own, read", "policies/{own-id}", 200),
  ...ruleLife("an empty id", { ...RULE, id: "" }),
  ...ruleLife("no name", { ...RULE, name: "" }),
  ...ruleLife("a name with an arrow", { ...RULE, name: "ci -> web (deploy)" }),
  refusedRule("a protocol of its own", { ...RULE, protocol: "gre" }),
  refusedRule("an action of its own", { ...RULE, action: "perhaps" }),
  ...ruleLife("a long description", { ...RULE, description: "e".repeat(3_000) }),
  put("the policy's id as its rule's", "policies/{policy}", policy({ ...RULE, id: "{policy}" }), 200),
  get("that policy", "policies/{policy}", 200),
  put("a rule id that is not there", "policies/{policy}", policy({ ...RULE, id: "{none}" }), 422),
  put(
    "a policy turned off",
    "policies/{policy}",
    policy({ ...RULE, enabled: false }, { enabled: false }),
    200,
  ),
  put("a policy of no rules", "policies/{policy}", policy(RULE, { rules: [] }), 422),
  put("a policy of null rules", "policies/{policy}", policy(RULE, { rules: null }), 422),
  put(
    "a policy without the rest",
    "policies/{policy}",
    { name: "policy", enabled: true, rules: [RULE] },
    200,
  ),
  get("that policy again", "policies/{policy}", 200),
  put(
    "a policy with a check",
    "policies/{policy}",
    policy(RULE, { source_posture_checks: ["{check}"] }),
    200,
  ),
  put(
    "a policy with a check that is not there",
    "policies/{policy}",
    policy(RULE, { source_posture_checks: ["{none}"] }),
    200,
    differs(422, "unknown ids"),
  ),
  remove("a group that a policy names deleted", "groups/{crew}", 400),
  post("a policy by a name in use", "policies", policy(RULE), 200, { as: "twin" }),
  remove("a policy deleted", "policies/{policy}", 200),
  remove("a policy deleted again", "policies/{policy}", 404),
  remove("a check deleted", "posture-checks/{check}", 200),
  remove("a check deleted again", "posture-checks/{check}", 404),
];

const robot = (role: string, change: Body = {}): Body => ({
  ...{ name: `robot ${role}`, role, auto_groups: [], is_service_user: true },
  ...change,
});
const ADA = {
  email: "ada@example.com",
  name: "Ada",
  role: "user",
  auto_groups: ["{crew}"],
  is_service_user: false,
};
const change = (fields: Body): Body => ({ role: "user", auto_groups: [], is_blocked: false, ...fields });
/** The whole user, as their dashboard sends it back. */
const wholeUser = {
  ...{ id: "{robot}", email: "", name: "robot user", status: "active", last_login: "0001-01-01T00:00:00Z" },
  ...{ is_current: false, is_service_user: true, pending_approval: false, issued: "api" },
};
const users: readonly Exchange[] = [
  get("oneself", "users/current", 200),
  get("users", "users", 200),
  get("service users", "users?service_user=true", 200),
  post("a service user", "users", robot("user"), 200, { as: "robot" }),
  post("a service user without a name", "users", robot("user", { name: undefined }), 200),
  post("a service user whose groups are null", "users", robot("user", { auto_groups: null }), 200),
  post("a service user of role admin", "users", robot("admin"), 200),
  post("a service user of role auditor", "users", robot("auditor"), 200),
  post("a service user of role billing_admin", "users", robot("billing_admin"), 200),
  post("a service user of role network_admin", "users", robot("network_admin"), 200),
  post("a service user of a role of its own", "users", robot("king"), 422),
  post("a person", "users", ADA, 412, differs(200, "people of the embedded provider")),
  post(
    "a person by an e-mail address in use",
    "users",
    ADA,
    412,
    differs(409, "people of the embedded provider"),
  ),
  put("a user blocked", "users/{robot}", change({ auto_groups: ["{crew}"], is_blocked: true }), 200),
  put("a user let in again", "users/{robot}", change({}), 200),
  put("a user given role network_admin", "users/{robot}", change({ role: "network_admin" }), 200),
  put("a whole user written back", "users/{robot}", change({ ...wholeUser, is_blocked: false }), 200),
  put("one's own role changed", "users/{owner}", change({ role: "admin" }), 403),
  put("a user who is not there changed", "users/{none}", change({}), 404),
  remove("oneself deleted", "users/{owner}", 422),
  post("an invitation of nobody", "users//invite", {}, 404),
  get("invitations", "users/invites", 412, differs([200, 405], "people of the embedded provider")),
  remove("nobody rejected", "users//reject", 404),
  put(
    "one's own password changed",
    "users/{owner}/password",
    { old_password: "x", new_password: "y".repeat(20) },
    412,
    differs([401, 403, 404, 422], "people of the embedded provider"),
  ),
];

const tokens: readonly Exchange[] = [
  post("a token", "users/{robot}/tokens", { name: "ci", expires_in: 20 }, 200, { as: "token" }),
  post("a token by a name in use", "users/{robot}/tokens", { name: "ci", expires_in: 365 }, 200),
  post("a token for no day", "users/{robot}/tokens", { name: "ci", expires_in: 0 }, 422),
  post("a token for 366 days", "users/{robot}/tokens", { name: "ci", expires_in: 366 }, 422),
  post("a token without a name", "users/{robot}/tokens", { name: "", expires_in: 5 }, 422),
  post("a token of nobody", "users//tokens", { name: "x", expires_in: 5 }, 404),
  post("a token of one's own", "users/{owner}/tokens", { name: "mine", expires_in: 5 }, 200),
  get("tokens", "users/{robot}/tokens", 200),
  get("that token", "users/{robot}/tokens/{token}", 200),
  get("tokens of a user who is not there", "users/{none}/tokens", 404),
  remove("that token deleted", "users/{robot}/tokens/{token}", 200),
  remove("that service user deleted", "users/{robot}", 200),
];

const PEER = {
  name: "alpha",
  ssh_enabled: true,
  login_expiration_enabled: true,
  inactivity_expiration_enabled: false,
};
const peer = (name: string, fields: Body, theirs = 200, more: Extra = {}): Exchange =>
  put(name, "peers/{machine}", { ...PEER, ...fields }, theirs, more);
const peers: readonly Exchange[] = [
  get("peers", "peers", 200),
  get("peers by a name", "peers?name=alpha", 200),
  get("peers by the beginning of a name", "peers?name=AL", 200),
  get("peers by an address", "peers?ip=100.64.9.9", 200),
  get("peers by the beginning of an address", "peers?ip=100.", 200),
  get("peers by an address that is none", "peers?ip=not-one", 200),
  get("peers with a parameter of their dashboard's", "peers?peerId={machine}&page=1", 200),
  peer("a peer as it was", {}),
  peer("a peer's address as it was", { ip: "100.64.9.9" }),
  peer("a peer's address changed", { ip: "100.64.9.10" }),
  peer("a peer's address no address", { ip: "zz" }, 422),
  peer("a peer's address changed back", { ip: "100.64.9.9" }),
  peer("a peer renamed", { name: "beta-2" }),
  peer("a peer renamed in capitals", { name: "Beta-Two" }),
  peer("a peer renamed to a name with dots", { name: "beta.example.net" }),
  peer("a peer renamed to a name with a line under it", { name: "beta_2" }),
  peer("a peer renamed to what it is to people", { name: "Ada's Laptop (old)" }),
  peer("a peer called as before", { name: "alpha" }),
  peer("a peer's SSH turned off", { ssh_enabled: false }),
  peer("a peer's logins without end", { login_expiration_enabled: false }),
  peer("a peer's logins with an end", { login_expiration_enabled: true }),
  get("a peer", "peers/{machine}", 200),
  get("accessible peers", "peers/{machine}/accessible-peers", 200),
  get(
    "accessible peers of a peer that is not there",
    "peers/{none}/accessible-peers",
    200,
    differs(404, "what is not there"),
  ),
  get("a peer that is not there", "peers/{none}", 404),
  remove("a peer that is not there deleted", "peers/{none}", 404),
  get("jobs of a peer", "peers/{machine}/jobs", 200),
  get("ingress ports of a peer", "peers/{machine}/ingress/ports", 404),
  remove("a peer deleted", "peers/{device}", 200),
];

const others: readonly Exchange[] = [
  get("audit events", "events/audit", 200),
  get("network traffic", "events/network-traffic", 404),
  get("networks", "networks", 200),
  get("routes", "routes", 200),
  get("settings of DNS", "dns/settings", 200),
  get("nameservers", "dns/nameservers", 200),
  get("zones of DNS", "dns/zones", 200),
  get("identity providers", "identity-providers", 200),
  remove("a policy that is in the way deleted", "policies/{twin}", 200),
  remove("another deleted", "policies/{own-id}", 200),
  remove("a group deleted", "groups/{pair}", 200),
];

/** All of them, in order. */
export const EXCHANGES: readonly Exchange[] = [
  ...accounts,
  ...groups,
  ...setupKeys,
  ...posture,
  ...policies,
  ...users,
  ...tokens,
  ...peers,
  ...others,
];
