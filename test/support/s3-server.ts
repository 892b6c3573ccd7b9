/**
 * A small S3 on the loopback that checks signatures: AWS Signature Version 4 over method, path, query,
 * headers and body, by the keys that it was opened with. PUT, GET and DELETE of objects; nothing else.
 */
import { createHash, createHmac } from "node:crypto";

export interface S3Server {
  readonly endpoint: string;
  readonly objects: Map<string, Uint8Array>;
  /** Answers everything with this status. Null: as it should. */
  failing: number | null;
  stop(): Promise<void>;
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Uint8Array, data: string) => createHmac("sha256", key).update(data).digest();

export function openS3Server(keys: {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}): S3Server {
  const objects = new Map<string, Uint8Array>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = new Uint8Array(await request.arrayBuffer());
      if (state.failing !== null) return new Response("failing", { status: state.failing });
      if (!isSigned(request, body, keys)) return refusal("SignatureDoesNotMatch", 403);
      const path = decodeURIComponent(new URL(request.url).pathname);
      if (request.method === "PUT") {
        objects.set(path, body);
        return new Response("", { headers: { etag: `"${sha256(body).slice(0, 32)}"` } });
      }
      if (request.method === "DELETE") {
        objects.delete(path);
        return new Response(null, { status: 204 });
      }
      const found = objects.get(path);
      return found === undefined ? refusal("NoSuchKey", 404) : new Response(Buffer.from(found));
    },
  });
  const state: S3Server = {
    endpoint: `http://127.0.0.1:${server.port}`,
    objects,
    failing: null,
    stop: () => server.stop(true),
  };
  return state;
}

const refusal = (code: string, status: number) =>
  new Response(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`, {
    status,
  });

const SCOPE = String.raw`Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request`;
const AUTHORIZATION = new RegExp(
  `^AWS4-HMAC-SHA256 ${SCOPE}, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$`,
);

function isSigned(
  request: Request,
  body: Uint8Array,
  { accessKeyId, secretAccessKey, region }: Parameters<typeof openS3Server>[0],
): boolean {
  const match = AUTHORIZATION.exec(request.headers.get("authorization") ?? "");
  if (match === null) return false;
  const [, keyId, day = "", keyRegion = "", signedHeaders = "", signature] = match;
  const digest = request.headers.get("x-amz-content-sha256") ?? "";
  if (keyId !== accessKeyId || keyRegion !== region) return false;
  if (digest !== "UNSIGNED-PAYLOAD" && digest !== sha256(body)) return false;
  const url = new URL(request.url);
  const headers = signedHeaders
    .split(";")
    .map((name) => `${name}:${request.headers.get(name)?.trim() ?? ""}\n`);
  const query = [...url.searchParams].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).sort();
  const canonical = [
    ...[request.method, url.pathname, query.join("&")],
    ...[headers.join(""), signedHeaders, digest],
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", request.headers.get("x-amz-date"), scope, sha256(canonical)].join("\n");
  const key = ["s3", "aws4_request"].reduce<Uint8Array>(
    (last, part) => hmac(last, part),
    hmac(hmac(`AWS4${secretAccessKey}`, day), region),
  );
  return hmac(key, text).toString("hex") === signature;
}
