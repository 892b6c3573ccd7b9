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
Run the management server until it is stopped. Prints one line of JSON, {url, issuer, pid}, when it is
ready. If it has not been set up with qf management init, it prints a link for setting it up, which works
once.

usage: qf management serve [--data-dir DIR] [--listen HOST:PORT] [--public-url URL [--move]]
                           [--dashboard-url URL]
                           [--database-url URL | --database-url-file FILE]
                           [--cluster-listen HOST:PORT [--cluster-advertise HOST:PORT]]
                           [--relay-listen HOST:PORT]
                           [--tls-cert FILE --tls-key FILE | --behind-proxy]
                           [--oidc-issuer URL --oidc-client-id ID [--oidc-...]]

options:
  --data-dir DIR           data folder (default: ${DATA_DIR_DEFAULT})
  --master-key-file FILE   key that encrypts the other keys (default: DIR/master.key)
  --database-url URL       PostgreSQL database to use instead of the one in the data folder, such as
                           postgres://qf@db.example.com/qf; several processes may share it. Options of
                           the URL: sslmode (disable, require, verify-ca, verify-full), sslrootcert, host
                           (socket folder)
  --database-url-file FILE file with that URL; use this or QF_DATABASE_URL if it has a password
  --cluster-listen HOST:PORT
                           where to listen for the other processes of a shared database, which relay streams
                           to machines connected to this one; encrypted, and open only to them; none turns
                           it off (default: QF_CLUSTER_LISTEN, or 127.0.0.1:0 for processes on one host)
  --cluster-advertise HOST:PORT
                           address at which the other processes reach this one, if it is behind NAT or in a
                           container (default: QF_CLUSTER_ADVERTISE, or the address of --cluster-listen)
  --relay-listen HOST:PORT where the relay also takes plain connections, which are faster than WebSockets and
                           carry SSH as the direct path does; clients dial the host of the public URL at this
                           port, and use WebSockets where it does not answer (default: QF_RELAY_LISTEN, or
                           none)
  --listen HOST:PORT       where to listen; port 0 picks a free one (default: 127.0.0.1:8080)
  --public-url URL         URL at which people and machines reach it; remembered (default: the listen URL)
  --dashboard-url URL      another URL for the dashboard, so that its pages and those that sign people in are
                           different origins to a browser; it must lead here too (default: --public-url)
  --move                   take another --public-url although peers know the present one; machines and devices
                           follow, and people sign in again. Keep the old name pointing here for 30 days
  --tls-cert FILE          TLS certificate chain in PEM; required with --tls-key unless it listens on loopback
  --tls-key FILE           its private key in PEM
  --behind-proxy           a reverse proxy terminates TLS and sets X-Forwarded-For
  --api-cors-origin ORIGIN
                           let pages of this origin call the REST API from a browser; may be repeated
                           (default: none)
  --audit-share MB         megabytes of audit events accepted from one machine per day; the machine keeps the
                           rest and tries again later; 0 means no limit (default: 1000)
  --audit-file FILE        append every entry of the audit log to this file as well, a line of JSON each; its
                           place is kept in FILE.cursor, so that a restart goes on there
  --allow-outbound CIDR    let audit streams and notifications lead to these addresses too, such as those of a
                           collector in your network; may be repeated (default: only public addresses)
  --smtp-url URL           mail server for notifications, such as smtps://user@smtp.example.com, or
                           smtp://smtp.example.com:587 for STARTTLS (default: none)
  --smtp-password-file FILE
                           password of the user in that URL
  --mail-from ADDRESS      sender of mail (default: the user in that URL)
  --recordings DIR|s3://BUCKET/PREFIX
                           where to keep recordings of sessions (default: recordings in the data folder)
  --recordings-endpoint URL
                           S3 endpoint, for stores other than Amazon's
  --recordings-region R    S3 region (default: us-east-1)
  --recordings-credentials-file FILE
                           S3 credentials in the format of ~/.aws/credentials (default: from the environment)
  --recording-share MB     megabytes of recordings accepted from one machine per day; 0 means no limit
                           (default: 10000)
  --releases DIR           releases that machines install from this server, a folder per version, as make
                           release writes them; without one they get this server's own executable
                           (default: releases in the data folder)
  --oidc-issuer URL        identity provider to use instead of the embedded one
  --oidc-client-id ID      client id registered for QuFabric there; required with --oidc-issuer
  --oidc-web-client-id ID  separate client id for sign-ins on management's own pages; required by machines
                           with --require-idp-binding (default: the same client)
  --oidc-client-secret-file FILE
                           secret of the client for those pages (default: none, a public client)
  --oidc-client-auth M     how to send the secret: client_secret_basic or client_secret_post (default: from
                           the provider's discovery document)
  --oidc-redirect-port N   port of the loopback redirect, if the provider requires one; 0 is any (default: 0)
  --oidc-loopback-host H   host of the loopback redirect as registered there: 127.0.0.1, localhost or [::1]
                           (default: 127.0.0.1)
  --oidc-audience AUD      audience that tokens for either client must have (default: that client's id)
  --oidc-scope SCOPE       scopes to request (default: openid profile email)
  --oidc-user-id-claim C   claim that identifies a person (default: sub)
  --oidc-groups-claim C    claim that lists a person's groups; dots reach into objects, as in
                           realm_access.roles (default: none)
  --log-level LEVEL        error, warn, info or debug (default: QF_LOG_LEVEL, or info)

examples:
  qf management serve --listen 127.0.0.1:8080
  qf management serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem \\
      --public-url https://qf.example.com
`,
  {
    args: {
      "log-level": STRING,
      "data-dir": { ...STRING, default: DATA_DIR_DEFAULT },
      "master-key-file": STRING,
      "database-url": STRING,
      "database-url-file": STRING,
      "cluster-listen": STRING,
      "cluster-advertise": STRING,
      "relay-listen": STRING,
      listen: STRING,
      "public-url": STRING,
      "dashboard-url": STRING,
      move: { type: "boolean" },
      "tls-cert": STRING,
      "tls-key": STRING,
      "behind-proxy": { type: "boolean" },
      "api-cors-origin": STRING,
      "audit-share": STRING,
      "audit-file": STRING,
      "allow-outbound": STRING,
      "smtp-url": STRING,
      "smtp-password-file": STRING,
      "mail-from": STRING,
      recordings: STRING,
      "recordings-endpoint": STRING,
      "recordings-region": STRING,
      "recordings-credentials-file": STRING,
      "recording-share": STRING,
      releases: STRING,
      "oidc-issuer": STRING,
      "oidc-client-id": STRING,
      "oidc-web-client-id": STRING,
      "oidc-client-secret-file": STRING,
      "oidc-client-auth": STRING,
      "oidc-loopback-host": STRING,
      "oidc-redirect-port": STRING,
      "oidc-audience": STRING,
      "oidc-scope": STRING,
      "oidc-user-id-claim": STRING,
      "oidc-groups-claim": STRING,
    },
    async run({ args }) {
      const oidc = parseOidc(args);
      const smtp = parseSmtp(args);
      const database = parseDatabase(args, process.env);
      const { serveManagement } = await import("../../management/serve.ts");
      return serveManagement({
        dataDir: args["data-dir"],
        log: createLog(parseLogLevel(args["log-level"]) ?? logLevelOf(process.env)),
        behindProxy: args["behind-proxy"] === true,
        move: args.move === true,
        apiCorsOrigins: parseList(args["api-cors-origin"]),
        allowOutbound: parseList(args["allow-outbound"]),
        ...smtp,
        ...given("masterKeyFile", args["master-key-file"]),
        ...given("listen", args.listen),
        ...given("auditShareMb", args["audit-share"]),
        ...given("auditFile", args["audit-file"]),
        recordings: {
          ...given("where", args.recordings),
          ...given("endpoint", args["recordings-endpoint"]),
          ...given("region", args["recordings-region"]),
          ...given("credentialsFile", args["recordings-credentials-file"]),
        },
        ...given("recordingShareMb", args["recording-share"]),
        ...given("releases", args.releases),
        ...given("clusterListen", args["cluster-listen"] ?? process.env.QF_CLUSTER_LISTEN),
        ...given(
          "clusterAdvertise",
          args["cluster-advertise"] ?? (process.env.QF_CLUSTER_ADVERTISE || undefined),
        ),
        ...given("relayListen", args["relay-listen"] ?? (process.env.QF_RELAY_LISTEN || undefined)),
        ...given("publicUrl", args["public-url"]),
        ...given("dashboardUrl", args["dashboard-url"]),
        ...given("tlsCert", args["tls-cert"]),
        ...given("tlsKey", args["tls-key"]),
        ...database,
        ...(oidc === undefined ? {} : { oidc }),
      });
    },
  },
  { repeatable: ["api-cors-origin", "allow-outbound"] },
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

/** Undefined: the embedded provider. Throws ERR_USAGE for `--oidc-…` without an issuer or client. */
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

/** Empty: no mail server. Throws ERR_USAGE for mail options without `--smtp-url`. */
function parseSmtp(args: {
  readonly "smtp-url"?: string | undefined;
  readonly "smtp-password-file"?: string | undefined;
  readonly "mail-from"?: string | undefined;
}) {
  const url = args["smtp-url"];
  if (url !== undefined) {
    const more = {
      ...given("passwordFile", args["smtp-password-file"]),
      ...given("from", args["mail-from"]),
    };
    return { smtp: { url, ...more } };
  }
  const stray = (["smtp-password-file", "mail-from"] as const).find((name) => args[name] !== undefined);
  if (stray !== undefined) throw new QfError("ERR_USAGE", `--${stray} needs --smtp-url`);
  return {};
}

/** `{name: value}`, or `{}` without a value. */
function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: string };
}
