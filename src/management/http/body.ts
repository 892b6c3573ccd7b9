/**
 * Request bodies: bounded in size, JSON, and checked against a schema.
 *
 * @module
 */
import type { Context } from "hono";
import type { ZodType } from "zod";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { ignoredFields, misspeltRestriction } from "../../wire/ignored-fields.ts";
import { describeIssues } from "../../wire/issues.ts";

/** Largest body of the REST API; a group of 100,000 peers fits. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Reads and parses a body. Throws ERR_TOO_LARGE, ERR_BAD_REQUEST if it is not JSON, and ERR_UNPROCESSABLE,
 * naming the field, if it does not match the schema.
 */
export async function readBody<T>(c: Context, schema: ZodType<T>, bytesMax = BODY_BYTES_MAX): Promise<T> {
  return parseStrict(schema, await readJson(c, bytesMax));
}

/** Reads a body as JSON of any shape. Throws ERR_TOO_LARGE and ERR_BAD_REQUEST, as `readBody` does. */
export async function readJson(c: Context, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new QfError("ERR_BAD_REQUEST", "the body is not JSON", {
      hint: "send content-type: application/json",
    });
  }
  const value = parseJson(await readText(c, bytesMax));
  if (value === undefined) throw new QfError("ERR_BAD_REQUEST", "the body is not valid JSON");
  return value;
}

/** Parses `value` by `schema`. Throws ERR_UNPROCESSABLE naming the field. */
export function parseStrict<T>(schema: ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new QfError("ERR_UNPROCESSABLE", describeIssues(parsed.error));
}

/**
 * Parses `value` by `schema`, and lists the fields that the schema does not know and ignores. Throws
 * ERR_UNPROCESSABLE also for an unknown field whose name is close to that of a restricting field.
 */
export function parseTolerant<T>(schema: ZodType<T>, value: unknown): { data: T; ignored: string[] } {
  const data = parseStrict(schema, value);
  const ignored = ignoredFields(value, data);
  const misspelt = misspeltRestriction(ignored);
  if (misspelt === undefined) return { data, ignored };
  throw new QfError("ERR_UNPROCESSABLE", `unknown field "${misspelt.written}"`, {
    hint: `${misspelt.meant} restricts, so a field like it is refused and not ignored where it means nothing`,
  });
}

async function readText(c: Context, bytesMax: number): Promise<string> {
  const tooLarge = new QfError("ERR_TOO_LARGE", `the body is larger than ${bytesMax} bytes`);
  if (Number(c.req.header("content-length") ?? "0") > bytesMax) throw tooLarge;
  const stream = c.req.raw.body;
  if (stream === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new QfError("ERR_BAD_REQUEST", "the body is not UTF-8");
  }
}
