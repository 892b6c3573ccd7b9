/**
 * Public identity providers as this product meets them: discovery, clients, redirect URIs and claims as their
 * public documentation has them. `docs/providers/` has a page for each; a row here is what that page sets up.
 */
import type { ExternalOidcOptions } from "../../src/management/idp/settings.ts";
import type { ProviderSetup } from "./provider-setup.ts";
import { PLAIN_SETUP } from "./provider-setup.ts";
import type { Way } from "./provider-sign-in.ts";

export interface ProviderKind {
  readonly name: string;
  /** Name of its page in docs/providers, without the extension. */
  readonly page: string;
  /** Its setup, but for redirect URIs. */
  readonly setup: Partial<ProviderSetup>;
  /** Flags of `qf management serve`, but for the issuer, a secret's file and a fixed port. */
  readonly oidc: Omit<ExternalOidcOptions, "issuer" | "clientSecretFile" | "redirectPort">;
  readonly secret?: string;
  /** Whether it compares the port of a loopback redirect, so that one is fixed and registered. */
  readonly fixedPort?: boolean;
  /** `prompt_login: false` in the account. */
  readonly noPrompt?: boolean;
  readonly ways: readonly Way[];
  readonly want: {
    readonly subject: string;
    readonly name: string;
    readonly email: string;
    /** Of devs, ops, nested and wanted; the account has them all. */
    readonly groups: readonly string[];
  };
}

const BOTH: readonly Way[] = ["loopback", "hosted"];
const HOSTED: readonly Way[] = ["hosted"];
const PUBLIC: Pick<Partial<ProviderSetup>, "clients"> = { clients: [{ id: "qufabric", auth: ["none"] }] };
const TENANT = "9122040d-6c67-4c5b-b112-36a304b66dad";
const ENTRA_GROUP = "2f6f2d0e-0f5e-4c0c-9f1e-3a4d7b8c9e01";
const OKTA_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

export const PROVIDER_KINDS: readonly ProviderKind[] = [
  {
    name: "Keycloak, with a group membership mapper of full paths",
    page: "keycloak",
    setup: {
      ...PUBLIC,
      issuerPath: "/realms/corp",
      issParameter: true,
      document: {
        // A public client's "none" is not among what Keycloak lists.
        token_endpoint_auth_methods_supported: [
          "private_key_jwt",
          "client_secret_basic",
          "client_secret_post",
        ],
        id_token_signing_alg_values_supported: [
          "PS384",
          "RS384",
          "EdDSA",
          "ES384",
          "HS256",
          "RS256",
          "ES256",
        ],
      },
      claims: {
        sub: "0b5e1c1a-7f6c-4c5a-8f0e-1d2c3b4a5f60",
        azp: "qufabric",
        typ: "ID",
        sid: "s",
        acr: "1",
        name: "Grace Hopper",
        preferred_username: "grace",
        email: "grace@corp.example",
        groups: ["/devs", "/parent/nested"],
      },
    },
    oidc: { clientId: "qufabric", groupsClaim: "groups" },
    ways: BOTH,
    want: {
      subject: "0b5e1c1a-7f6c-4c5a-8f0e-1d2c3b4a5f60",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs", "parent/nested"],
    },
  },
  {
    name: "Keycloak, with realm roles that are in UserInfo alone",
    page: "keycloak",
    setup: {
      ...PUBLIC,
      issuerPath: "/realms/corp",
      issParameter: true,
      claims: { sub: "u-1", azp: "qufabric", aud: "qufabric", preferred_username: "grace" },
      userInfo: { preferred_username: "grace", realm_access: { roles: ["ops", "default-roles-corp"] } },
    },
    oidc: { clientId: "qufabric", groupsClaim: "realm_access.roles" },
    ways: BOTH,
    want: { subject: "u-1", name: "grace", email: "", groups: ["ops"] },
  },
  {
    name: "Entra ID, a web application with a secret",
    page: "entra-id",
    setup: {
      issuerPath: `/${TENANT}/v2.0`,
      document: {
        token_endpoint_auth_methods_supported: [
          "client_secret_post",
          "private_key_jwt",
          "client_secret_basic",
        ],
      },
      clients: [
        { id: "11111111-aaaa-4444-8888-222222222222", secret: "Ab~8Q-._x", auth: ["client_secret_post"] },
      ],
      atHash: false,
      claims: {
        sub: "pairwise-per-application",
        oid: "73b7b7a1-3c1d-4a3c-8f0a-5c1f0f6f7e11",
        tid: TENANT,
        ver: "2.0",
        uti: "u",
        rh: "0.x",
        auth_time: null,
        name: "Grace Hopper",
        preferred_username: "grace@corp.example",
        groups: [ENTRA_GROUP, "devs"],
      },
      userInfo: { name: "Grace Hopper", email: "grace@corp.example", picture: "https://graph.example/p" },
    },
    oidc: { clientId: "11111111-aaaa-4444-8888-222222222222", userIdClaim: "oid", groupsClaim: "groups" },
    secret: "Ab~8Q-._x",
    ways: HOSTED,
    want: {
      subject: "73b7b7a1-3c1d-4a3c-8f0a-5c1f0f6f7e11",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs"],
    },
  },
  {
    name: "Entra ID, a desktop application, whose redirects are on localhost",
    page: "entra-id",
    setup: {
      ...PUBLIC,
      issuerPath: `/${TENANT}/v2.0`,
      atHash: false,
      claims: {
        sub: "pairwise",
        oid: "73b7b7a1",
        auth_time: null,
        name: "Grace Hopper",
        preferred_username: "g@corp.example",
        email: "grace@corp.example",
        groups: ["devs"],
      },
    },
    oidc: { clientId: "qufabric", userIdClaim: "oid", groupsClaim: "groups", loopbackHost: "localhost" },
    ways: BOTH,
    want: { subject: "73b7b7a1", name: "Grace Hopper", email: "grace@corp.example", groups: ["devs"] },
  },
  {
    name: "Google, a web application",
    page: "google",
    setup: {
      document: {
        token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
        claims_supported: [
          "aud",
          "email",
          "email_verified",
          "exp",
          "family_name",
          "given_name",
          "iat",
          "iss",
        ],
      },
      clients: [
        {
          id: "123-abc.apps.googleusercontent.com",
          secret: "GOCSPX-abc_def",
          auth: ["client_secret_post", "client_secret_basic"],
        },
      ],
      refusedParameters: ["prompt=login"],
      claims: {
        sub: "110169484474386276334",
        azp: "123-abc.apps.googleusercontent.com",
        hd: "corp.example",
        auth_time: null,
        name: "Grace Hopper",
        given_name: "Grace",
        family_name: "Hopper",
        email: "grace@corp.example",
        email_verified: true,
      },
    },
    oidc: { clientId: "123-abc.apps.googleusercontent.com" },
    secret: "GOCSPX-abc_def",
    noPrompt: true,
    ways: HOSTED,
    want: { subject: "110169484474386276334", name: "Grace Hopper", email: "grace@corp.example", groups: [] },
  },
  {
    name: "Okta, a native application, whose ID token is thin",
    page: "okta",
    setup: {
      clients: [{ id: "0oa1b2c3d4", auth: ["none"] }],
      issuerPath: "/oauth2/default",
      anyLoopbackPort: false,
      document: { token_endpoint_auth_methods_supported: OKTA_METHODS },
      claims: { sub: "00u1a2b3c4", ver: 1, amr: ["pwd", "mfa"], idp: "00o1", jti: "ID.x" },
      userInfo: {
        name: "Grace Hopper",
        preferred_username: "grace@corp.example",
        email: "grace@corp.example",
        groups: ["Everyone", "devs", "ops"],
      },
    },
    oidc: { clientId: "0oa1b2c3d4", scope: "openid profile email groups", groupsClaim: "groups" },
    fixedPort: true,
    ways: BOTH,
    want: {
      subject: "00u1a2b3c4",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs", "ops"],
    },
  },
  {
    name: "Auth0, a native application, with roles in a claim of one's own",
    page: "auth0",
    setup: {
      ...PUBLIC,
      issuerPath: "/",
      anyLoopbackPort: false,
      document: {
        token_endpoint_auth_methods_supported: [
          "client_secret_basic",
          "client_secret_post",
          "private_key_jwt",
        ],
      },
      claims: {
        sub: "auth0|5f7c8ec7c33c6c004bbafe82",
        sid: "s",
        nickname: "grace",
        name: "Grace Hopper",
        email: "grace@corp.example",
        email_verified: true,
        "https://corp.example/roles": ["devs"],
      },
    },
    oidc: { clientId: "qufabric", groupsClaim: "https://corp.example/roles" },
    fixedPort: true,
    ways: BOTH,
    want: {
      subject: "auth0|5f7c8ec7c33c6c004bbafe82",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs"],
    },
  },
  {
    name: "Authentik, a public client with a signing key",
    page: "authentik",
    setup: {
      ...PUBLIC,
      issuerPath: "/application/o/qufabric/",
      claims: {
        sub: "3a1f9c7d5b8e2460",
        acr: "goauthentik.io/providers/oauth2/default",
        amr: ["pwd"],
        azp: "qufabric",
        uid: "x",
        name: "Grace Hopper",
        given_name: "Grace Hopper",
        preferred_username: "grace",
        nickname: "grace",
        email: "grace@corp.example",
        groups: ["devs", "authentik Admins"],
      },
    },
    oidc: { clientId: "qufabric", groupsClaim: "groups" },
    ways: BOTH,
    want: {
      subject: "3a1f9c7d5b8e2460",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs"],
    },
  },
  {
    name: "Zitadel, with the roles of a project",
    page: "zitadel",
    setup: {
      clients: [{ id: "170086824411201793", auth: ["none"] }],
      claims: {
        sub: "170848145649959169",
        // The token is for the client and for its project.
        aud: ["170086824411201793", "170086774599581953"],
        azp: "170086824411201793",
        client_id: "170086824411201793",
        amr: ["pwd"],
      },
      userInfo: {
        name: "Grace Hopper",
        preferred_username: "grace@corp.example",
        email: "grace@corp.example",
        email_verified: true,
        "urn:zitadel:iam:org:project:roles": {
          devs: { "170079991923474689": "corp.zitadel.cloud" },
          gone: {},
        },
      },
    },
    oidc: {
      clientId: "170086824411201793",
      scope: "openid profile email urn:zitadel:iam:org:projects:roles",
      groupsClaim: "urn:zitadel:iam:org:project:roles",
    },
    ways: BOTH,
    want: {
      subject: "170848145649959169",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs"],
    },
  },
  {
    name: "Zitadel, where the project is the audience",
    page: "zitadel",
    setup: {
      clients: [{ id: "170086824411201793", auth: ["none"] }],
      claims: {
        ...PLAIN_SETUP.claims,
        aud: ["170086824411201793", "170086774599581953"],
        azp: "170086824411201793",
      },
    },
    oidc: { clientId: "170086824411201793", audience: "170086774599581953" },
    ways: BOTH,
    want: { subject: "person-1", name: "Grace Hopper", email: "grace@corp.example", groups: [] },
  },
  {
    name: "Dex, a public client",
    page: "dex",
    setup: {
      ...PUBLIC,
      issuerPath: "/dex",
      anyLoopbackPort: false,
      document: { token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"] },
      claims: {
        sub: "CgVncmFjZRIEbGRhcA",
        email: "grace@corp.example",
        email_verified: true,
        name: "grace",
        preferred_username: "grace",
        groups: ["devs", "ops"],
        auth_time: null,
      },
    },
    oidc: { clientId: "qufabric", scope: "openid profile email groups", groupsClaim: "groups" },
    fixedPort: true,
    ways: BOTH,
    want: {
      subject: "CgVncmFjZRIEbGRhcA",
      name: "grace",
      email: "grace@corp.example",
      groups: ["devs", "ops"],
    },
  },
  {
    name: "GitLab, with the groups that a person is in directly",
    page: "gitlab",
    setup: {
      ...PUBLIC,
      anyLoopbackPort: false,
      document: { token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"] },
      atHash: false,
      claims: {
        sub: "12345",
        name: "Grace Hopper",
        nickname: "grace",
        preferred_username: "grace",
        email: "grace@corp.example",
        email_verified: true,
        groups_direct: ["devs", "parent/nested"],
      },
      userInfo: { name: "Grace Hopper", groups: ["devs", "ops", "parent/nested"] },
    },
    oidc: { clientId: "qufabric", groupsClaim: "groups_direct" },
    fixedPort: true,
    ways: BOTH,
    want: {
      subject: "12345",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs", "parent/nested"],
    },
  },
  {
    name: "GitLab, with all groups of a person, by management's pages",
    page: "gitlab",
    setup: {
      clients: [{ id: "qufabric", secret: "gloas-abc", auth: ["client_secret_basic", "client_secret_post"] }],
      atHash: false,
      claims: { sub: "12345", name: "Grace Hopper", email: "grace@corp.example", groups_direct: ["devs"] },
      userInfo: { name: "Grace Hopper", groups: ["devs", "ops", "parent/nested"] },
    },
    oidc: { clientId: "qufabric", groupsClaim: "groups" },
    secret: "gloas-abc",
    ways: HOSTED,
    want: {
      subject: "12345",
      name: "Grace Hopper",
      email: "grace@corp.example",
      groups: ["devs", "ops", "parent/nested"],
    },
  },
];
