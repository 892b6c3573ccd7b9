import { QfError } from "../../base/errors.ts";
import { createLog, logLevelOf } from "../../base/log.ts";
import { LOOPBACK_HOSTS } from "../../wire/client-config.ts";
import { CLIENT_AUTH_METHODS } from "../../wire/identity-provider.ts";
import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { parseList, parseLogLevel, parseOneOf, parseWhole } from "../parse.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

const STRING = { type: "string" } as const;

export const managementServe = command(
  `
Run management until it is stopped. Prints one line of JSON, {url, issuer, pid}, when it is ready. Without
a prior init it prints a link that is good once for setting it up.

usage: qf management serve [--data-dir DIR] [--listen HOST:PORT] [--public-url URL]
                           [--database-url URL | --database-url-file FILE]
                           [--cluster-listen HOST:PORT [--cluster-advertise HOST:PORT]]
                           [--tls-cert FILE --tls-key FILE | --behind-proxy]
                           [--oidc-issuer URL --oidc-client-id ID [--oidc-...]]

options:
  --data-dir DIR           where everything is kept (default: ${DATA_DIR_DEFAULT})
  --master-key-file FILE   key that encrypts the other keys (default: DIR/master.key)
  --database-url URL       PostgreSQL, as in postgres://qf@db.example.com/qf, in place of the data folder's
                           own database; several processes may share one. Options of the URL: sslmode
                           (disable, require, verify-ca, verify-full), sslrootcert, host (socket folder)
  --database-url-file FILE a file that holds it, or QF_DATABASE_URL: the ways for one with a password
  --cluster-listen HOST:PORT
                           with a shared database: where the other processes reach this one, to pass on
                           streams whose machine is connected to it; sealed, and open to them only. none: to
                           nobody (default: QF_CLUSTER_LISTEN, or 127.0.0.1:0, for processes on one machine)
  --cluster-advertise HOST:PORT
                           where they reach it instead, when it is behind NAT or in a container; also
                           QF_CLUSTER_ADVERTISE (default: the address of --cluster-listen)
  --listen HOST:PORT       where to listen; port 0 is any (default: 127.0.0.1:8080)
  --public-url URL         how people and machines reach it; kept (default: the listen URL)
  --tls-cert FILE          TLS certificate chain in PEM; needed off loopback, with --tls-key
  --tls-key FILE           its private key in PEM
  --behind-proxy           a proxy in front ends TLS and writes X-Forwarded-For
  --api-cors-origin ORIGIN
                           pages of this origin may call the REST API from a browser; may be repeated
                           (default: none)
  --audit-share MB         megabytes of audit events taken from one machine in a day; the machine keeps the
                           rest and tries again; 0 is no limit (default: 1000)
  --oidc-issuer URL        identity provider to use instead of the embedded one
  --oidc-client-id ID      QuFabric's client there; required with --oidc-issuer
  --oidc-web-client-id ID  another client for the sign-ins on management's own pages (default: the same);
                           machines with --require-idp-binding need it
  --oidc-client-secret-file FILE
                           secret of the client of those pages; without one it is a public client
  --oidc-client-auth M     how the secret is given: client_secret_basic or client_secret_post (default: as
                           the provider's discovery document says)
  --oidc-redirect-port N   loopback port that the provider insists on; 0 is any (default: 0)
  --oidc-loopback-host H   host of the loopback redirect, as it is registered there: 127.0.0.1, localhost or
                           [::1] (default: 127.0.0.1)
  --oidc-audience AUD      exact audience of its tokens, of both clients (default: each client's id)
  --oidc-scope SCOPE       scopes to ask for (default: openid profile email)
  --oidc-user-id-claim C   claim that names a person (default: sub)
  --oidc-groups-claim C    claim with a person's groups; a path with dots goes inside, as in
                           realm_access.roles (default: none is read)
  --log-level LEVEL        error, warn, info or debug (default: QF_LOG_LEVEL, or info)

examples:
  qf management serve --listen 127.0.0.1:8080
  qf management serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem --public-url https://qf.example.com
`,
  {
    meta: { name: "serve", description: "Run management" },
    args: {
      "log-level": { ...STRING, valueHint: "level", description: "How much it logs" },
      "data-dir": { ...STRING, default: DATA_DIR_DEFAULT, valueHint: "dir", description: "Folder" },
      "master-key-file": { ...STRING, valueHint: "file", description: "Master key" },
      "database-url": { ...STRING, valueHint: "url", description: "PostgreSQL" },
      "database-url-file": { ...STRING, valueHint: "file", description: "File with its URL" },
      "cluster-listen": { ...STRING, valueHint: "host:port", description: "For other processes" },
      "cluster-advertise": { ...STRING, valueHint: "host:port", description: "Where they reach it" },
      listen: { ...STRING, valueHint: "host:port", description: "Where to listen" },
      "public-url": { ...STRING, valueHint: "url", description: "How others reach it" },
      "tls-cert": { ...STRING, valueHint: "file", description: "TLS certificate" },
      "tls-key": { ...STRING, valueHint: "file", description: "TLS key" },
      "behind-proxy": { type: "boolean", description: "A proxy ends TLS" },
      "api-cors-origin": { ...STRING, valueHint: "origin", description: "Pages that may call the API" },
      "audit-share": { ...STRING, valueHint: "mb", description: "Audit events a day of one machine" },
      "oidc-issuer": { ...STRING, valueHint: "url", description: "Identity provider" },
      "oidc-client-id": { ...STRING, valueHint: "id", description: "Client there" },
      "oidc-web-client-id": { ...STRING, valueHint: "id", description: "Client of the pages" },
      "oidc-client-secret-file": { ...STRING, valueHint: "file", description: "Its secret" },
      "oidc-client-auth": { ...STRING, valueHint: "method", description: "How the secret is given" },
      "oidc-loopback-host": { ...STRING, valueHint: "host", description: "Loopback host" },
      "oidc-redirect-port": { ...STRING, valueHint: "n", description: "Loopback port" },
      "oidc-audience": { ...STRING, valueHint: "aud", description: "Audience" },
      "oidc-scope": { ...STRING, valueHint: "scope", description: "Scopes" },
      "oidc-user-id-claim": { ...STRING, valueHint: "claim", description: "Person" },
      "oidc-groups-claim": { ...STRING, valueHint: "claim", description: "Groups" },
    },
    async run({ args }) {
      const oidc = parseOidc(args);
      const database = parseDatabase(args, process.env);
      const { serveManagement } = await import("../../management/serve.ts");
      return serveManagement({
        dataDir: args["data-dir"],
        log: createLog(parseLogLevel(args["log-level"]) ?? logLevelOf(process.env)),
        behindProxy: args["behind-proxy"] === true,
        apiCorsOrigins: parseList(args["api-cors-origin"]),
        ...given("masterKeyFile", args["master-key-file"]),
        ...given("listen", args.listen),
        ...given("auditShareMb", args["audit-share"]),
        ...given("clusterListen", args["cluster-listen"] ?? process.env.QF_CLUSTER_LISTEN),
        ...given(
          "clusterAdvertise",
          args["cluster-advertise"] ?? (process.env.QF_CLUSTER_ADVERTISE || undefined),
        ),
        ...given("publicUrl", args["public-url"]),
        ...given("tlsCert", args["tls-cert"]),
        ...given("tlsKey", args["tls-key"]),
        ...database,
        ...(oidc === undefined ? {} : { oidc }),
      });
    },
  },
  { repeatable: ["api-cors-origin"] },
);

interface OidcArgs {
  readonly "oidc-issuer"?: string | undefined;
  readonly "oidc-client-id"?: string | undefined;
  readonly "oidc-web-client-id"?: string | undefined;
  readonly "oidc-client-secret-file"?: string | undefined;
  readonly "oidc-client-auth"?: string | undefined;
  readonly "oidc-redirect-port"?: string | undefined;
  readonly "oidc-loopback-host"?: string | undefined;
  readonly "oidc-audience"?: string | undefined;
  readonly "oidc-scope"?: string | undefined;
  readonly "oidc-user-id-claim"?: string | undefined;
  readonly "oidc-groups-claim"?: string | undefined;
}

/** Undefined: the embedded provider. Throws ERR_USAGE for `--oidc-…` without an issuer or a client. */
function parseOidc(args: OidcArgs) {
  const issuer = args["oidc-issuer"];
  const clientId = args["oidc-client-id"];
  if (issuer === undefined) {
    const stray = OIDC_FLAGS.find((name) => args[name] !== undefined);
    if (stray !== undefined) throw new QfError("ERR_USAGE", `--${stray} needs --oidc-issuer`);
    return undefined;
  }
  if (clientId === undefined) throw new QfError("ERR_USAGE", "--oidc-issuer needs --oidc-client-id");
  const port = args["oidc-redirect-port"];
  const clientAuth = args["oidc-client-auth"];
  const loopbackHost = args["oidc-loopback-host"];
  return {
    issuer,
    clientId,
    ...given("webClientId", args["oidc-web-client-id"]),
    ...given("clientSecretFile", args["oidc-client-secret-file"]),
    ...(clientAuth === undefined
      ? {}
      : { clientAuth: parseOneOf("oidc-client-auth", clientAuth, CLIENT_AUTH_METHODS) }),
    ...(loopbackHost === undefined
      ? {}
      : { loopbackHost: parseOneOf("oidc-loopback-host", loopbackHost, LOOPBACK_HOSTS) }),
    ...given("audience", args["oidc-audience"]),
    ...given("scope", args["oidc-scope"]),
    ...given("userIdClaim", args["oidc-user-id-claim"]),
    ...given("groupsClaim", args["oidc-groups-claim"]),
    ...(port === undefined
      ? {}
      : { redirectPort: parseWhole("oidc-redirect-port", port, { min: 0, max: 65_535, unit: "ports" }) }),
  };
}

const OIDC_FLAGS = [
  "oidc-client-id",
  "oidc-web-client-id",
  "oidc-client-secret-file",
  "oidc-client-auth",
  "oidc-redirect-port",
  "oidc-loopback-host",
  "oidc-audience",
  "oidc-scope",
  "oidc-user-id-claim",
  "oidc-groups-claim",
] as const;

/** `{name: value}`, or nothing when there is no value. */
function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: string };
}
