/** Each public provider as its page in docs/providers sets it up: who signs in, how, and in which groups. */
import { afterEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findUser } from "../../../src/management/db/tables/users.ts";
import { freePort, startProvider, type TestProvider } from "../../support/provider.ts";
import { PROVIDER_KINDS, type ProviderKind } from "../../support/provider-kinds.ts";
import {
  type ProviderManagement,
  saidBy,
  startProviderManagement,
  type Way,
} from "../../support/provider-sign-in.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const GROUPS = ["devs", "ops", "parent/nested"];
const open: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Running {
  readonly provider: TestProvider;
  readonly management: ProviderManagement;
  /** Names of the groups of the account, by id. */
  readonly groups: ReadonlyMap<string, string>;
}

/** The provider of a row, with the redirect URIs that its page names, and management in front of it. */
async function start(kind: ProviderKind, change: Partial<ProviderKind["setup"]> = {}): Promise<Running> {
  const provider = await startProvider({ setup: { ...kind.setup, ...change } });
  open.push({ close: () => provider.stop() });
  const port = kind.fixedPort === true ? freePort() : undefined;
  const secretFile = join(tempFolder(), "secret");
  if (kind.secret !== undefined) writeFileSync(secretFile, `${kind.secret}\n`, { mode: 0o600 });
  const management = await startProviderManagement(provider, {
    ...kind.oidc,
    ...(kind.secret === undefined ? {} : { clientSecretFile: secretFile }),
    ...(port === undefined ? {} : { redirectPort: port }),
  });
  open.push(management);
  const host = kind.oidc.loopbackHost ?? "127.0.0.1";
  const loopback = `http://${host}${port === undefined ? "" : `:${port}`}/callback`;
  await provider.change({ redirectUris: [`${management.url}/login/callback`, loopback] });
  await management.changeSettings({ prompt_login: kind.noPrompt !== true });
  const groups = new Map<string, string>();
  for (const name of GROUPS) groups.set(await management.addGroup(name), name);
  return { provider, management, groups };
}

test.each([...PROVIDER_KINDS])("$name: a person signs in and is in their groups", async (kind) => {
  const { management, groups } = await start(kind);
  for (const way of kind.ways) {
    // Twice: the second time nothing changes.
    const { user } = await management.signIn(way);
    expect((await management.signIn(way, { fresh: true })).user.id).toBe(user.id);
    const row = await management.context.store.read((tx) => findUser(tx, management.accountId, user.id));
    expect({
      way,
      subject: row?.subject,
      name: row?.name,
      email: row?.email,
      groups: row?.autoGroups.map((id) => groups.get(id) ?? id).sort(),
    }).toEqual({ way, ...kind.want, groups: [...kind.want.groups] });
  }
  expect(management.told).toEqual([]);
});

const PAGES = join(import.meta.dir, "../../../docs/providers");

test.each([...PROVIDER_KINDS])(
  "$name: its page has the flags and redirect URIs of this row",
  ({ page, ...kind }) => {
    const text = readFileSync(join(PAGES, `${page}.md`), "utf8");
    const { oidc, setup } = kind;
    const wanted = [
      "--oidc-issuer",
      "--oidc-client-id",
      "https://qf.example.com/login/callback",
      ...(oidc.groupsClaim === undefined ? [] : ["--oidc-groups-claim", oidc.groupsClaim]),
      ...(oidc.userIdClaim === undefined ? [] : [`--oidc-user-id-claim ${oidc.userIdClaim}`]),
      ...(oidc.loopbackHost === undefined ? [] : [`--oidc-loopback-host ${oidc.loopbackHost}`]),
      ...(oidc.audience === undefined ? [] : ["--oidc-audience"]),
      ...(oidc.scope === undefined ? [] : [`--oidc-scope "${oidc.scope}"`]),
      ...(kind.fixedPort === true ? ["--oidc-redirect-port", "http://127.0.0.1:8400/callback"] : []),
      ...(kind.secret === undefined ? [] : ["--oidc-client-secret-file"]),
      ...(kind.noPrompt === true ? ["qf account set prompt_login=false"] : []),
      ...(setup.issuerPath?.endsWith("/") === true ? ["The issuer ends in a slash"] : []),
    ];
    expect(wanted.filter((words) => !text.includes(words))).toEqual([]);
  },
);

function kindNamed(part: string): ProviderKind {
  const kind = PROVIDER_KINDS.find(({ name }) => name.startsWith(part));
  if (kind === undefined) throw new Error(`no kind is called ${part}`);
  return kind;
}

/** What goes wrong first with each of them, as its page says. */
interface Trap {
  readonly kind: string;
  readonly what: string;
  readonly change: (kind: ProviderKind) => Partial<ProviderKind["setup"]>;
  readonly way: Way;
  readonly said: string;
}

test.each<Trap>([
  {
    kind: "Entra ID, a web",
    what: "more groups than fit into its token",
    change: ({ setup }) => ({
      claims: { ...setup.claims, groups: null, _claim_names: { groups: "src1" }, _claim_sources: {} },
    }),
    way: "hosted",
    said: "too many groups for its token",
  },
  {
    kind: "Entra ID, a web",
    what: "a token of its first endpoint, without the object id",
    change: ({ setup }) => ({ claims: { ...setup.claims, oid: null } }),
    way: "hosted",
    said: "oid is missing",
  },
  {
    kind: "Authentik",
    what: "no signing key, so that it signs with the client's secret",
    change: () => ({ algorithm: "HS256" }),
    way: "loopback",
    said: "signs with HS256, which is not taken",
  },
  {
    kind: "Keycloak, with a group",
    what: "a token exchanged from another client",
    change: ({ setup }) => ({ claims: { ...setup.claims, aud: ["qufabric", "account"], azp: "grafana" } }),
    way: "loopback",
    said: "the token was given to another client",
  },
  {
    kind: "Okta",
    what: "a person to whom the application is not assigned",
    change: () => ({
      authorizationError: {
        error: "access_denied",
        error_description: "User is not assigned to the client application.",
      },
    }),
    way: "hosted",
    said: "the sign-in was refused",
  },
  {
    kind: "Zitadel, with",
    what: "UserInfo that is away, where the groups are",
    change: () => ({ answers: { userinfo: { status: 503, body: "" } } }),
    way: "loopback",
    said: "HTTP status 503",
  },
])("$kind: $what is said", async ({ kind, change, way, said }) => {
  const row = kindNamed(kind);
  const { management } = await start(row, change(row));
  expect((await saidBy(management.signIn(way))).message).toContain(said);
});

test("Google refuses the prompt that the account asks for, and its page says so in the browser", async () => {
  const { management, provider } = await start(kindNamed("Google"));
  await management.changeSettings({ prompt_login: true });
  let text = "";
  // Nobody comes back from such a page; the terminal waits as long as it would for any person.
  const waiting = management.signIn("hosted", { timeoutMs: 1_000, onPage: (page) => (text = page.text) });
  expect((await waiting.catch((error: Error) => error)) instanceof Error).toBe(true);
  expect(text).toContain("prompt=login");
  expect((await provider.seen()).tokens).toEqual([]);
});

test("GitLab's groups of UserInfo are not taken on a client's word, and that is told", async () => {
  const row = kindNamed("GitLab, with the groups");
  const { management } = await start({ ...row, oidc: { ...row.oidc, groupsClaim: "groups" } });
  const { user } = await management.signIn("loopback");
  const found = await management.context.store.read((tx) => findUser(tx, management.accountId, user.id));
  expect(found?.autoGroups).toEqual([]);
  expect(management.told.map(({ message }) => message)).toEqual([
    "groups of UserInfo not taken: the ID token does not name its access token (at_hash)",
  ]);
});
