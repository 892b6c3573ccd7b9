/**
 * /api/openapi.json, generated from the route table and the schemas that validate, so it matches the server.
 *
 * @module
 */
import type { ZodType } from "zod";
import { VERSION } from "../../../base/build-info.ts";
import * as api from "../../../wire/admin-api.ts";
import * as peers from "../../../wire/admin-peers.ts";
import * as query from "../../../wire/admin-query.ts";
import { AuditEvent } from "../../../wire/audit-event.ts";
import { ApiFailure } from "../../../wire/client-api.ts";
import { Policy, PolicyWrite } from "../../../wire/policy.ts";
import { PostureCheck, PostureCheckWrite } from "../../../wire/posture.ts";
import type { Route } from "./route.ts";
import { STATUSES, statusesOf } from "./statuses.ts";

/** Schemas that the document defines by name; any other is written inline. */
const NAMED: Readonly<Record<string, ZodType>> = {
  Account: api.Account,
  AccountRequest: api.AccountRequest,
  User: api.User,
  UserCreateRequest: api.UserCreateRequest,
  UserRequest: api.UserRequest,
  PersonalAccessToken: api.PersonalAccessToken,
  PersonalAccessTokenRequest: api.PersonalAccessTokenRequest,
  PersonalAccessTokenGenerated: api.PersonalAccessTokenGenerated,
  Peer: peers.Peer,
  PeerRequest: peers.PeerRequest,
  AccessiblePeer: peers.AccessiblePeer,
  SetupKey: api.SetupKey,
  CreateSetupKeyRequest: api.SetupKeyCreateRequest,
  SetupKeyRequest: api.SetupKeyRequest,
  Group: api.Group,
  GroupRequest: api.GroupRequest,
  Policy,
  PolicyUpdate: PolicyWrite,
  PostureCheck,
  PostureCheckUpdate: PostureCheckWrite,
  Event: AuditEvent,
  ReservedName: query.ReservedName,
  Failure: ApiFailure,
};

type Json = Record<string, unknown>;

/** Path of the document. Public: it needs no token. */
export const OPENAPI_PATH = "/api/openapi.json";
const DOCUMENT_ITSELF: Json = {
  summary: "This document",
  security: [],
  responses: Object.fromEntries(
    [200, 400, 421, 500, 503].map((status) => [status, { description: STATUSES[status] }]),
  ),
};

/** The OpenAPI 3.1 document of `routes`. */
export function describeApi(routes: readonly Route[], origin: string): Json {
  const names = new Map(Object.entries(NAMED).map(([name, schema]) => [schema, name]));
  const refer = (schema: ZodType): Json => {
    const name = names.get(schema);
    return name === undefined ? jsonSchema(schema) : { $ref: `#/components/schemas/${name}` };
  };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: describeRoute(route, refer) };
  }
  const schemas = Object.entries(NAMED).map(([name, schema]) => [name, jsonSchema(schema)] as const);
  return {
    openapi: "3.1.0",
    info: { title: "QuFabric management API", version: VERSION },
    servers: [{ url: origin }],
    security: [{ TokenAuth: [] }, { BearerAuth: [] }],
    paths: { ...paths, [OPENAPI_PATH]: { get: DOCUMENT_ITSELF } },
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        TokenAuth: { type: "apiKey", in: "header", name: "Authorization", description: "Token qfp_…" },
        BearerAuth: { type: "http", scheme: "bearer", description: "The same API tokens" },
      },
    },
  };
}

function describeRoute(route: Route, refer: (schema: ZodType) => Json): Json {
  const answer =
    "one" in route.answer ? refer(route.answer.one) : { type: "array", items: refer(route.answer.listOf) };
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    in: "path",
    name,
    required: true,
    schema: { type: "string" },
  }));
  const body = route.body;
  return {
    summary: route.summary,
    tags: [route.path.split("/")[2]],
    "x-access": route.access,
    parameters: [...inPath, ...queryParameters(route.query)],
    ...(body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: refer(body) } } },
        }),
    responses: Object.fromEntries(
      statusesOf(route).map((status) => [
        status,
        {
          description: STATUSES[status],
          headers: "listOf" in route.answer && status === 200 ? LIST_HEADERS : HEADERS,
          content: { "application/json": { schema: status === 200 ? answer : refer(ApiFailure) } },
        },
      ]),
    ),
  };
}

const text = (description: string): Json => ({ description, schema: { type: "string" } });
const HEADERS: Json = {
  "X-Request-Id": text("Names the request in the server's log"),
  "X-Ignored": text("Fields and query parameters that are not known here and were ignored"),
};
const LIST_HEADERS: Json = {
  ...HEADERS,
  "X-Total-Count": { description: "Entries over all pages", schema: { type: "integer" } },
  "X-Seen-Seq": text("Of audit events: the after_seq to go on with when following the log"),
  Link: text('The next page, with rel="next"; absent on the last one'),
};

function queryParameters(schema: ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties = {} } = jsonSchema(schema) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, property]) => ({
    in: "query",
    name,
    required: false,
    schema: property,
  }));
}

function jsonSchema(schema: ZodType): Json {
  const { $schema: _, ...rest } = schema.toJSONSchema({ io: "input", unrepresentable: "any" }) as Json;
  return rest;
}
