/**
 * Forms posted by our own pages: bounded in size, and refused from other sites.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

const FORM_BYTES_MAX = 8 * 1024;

/**
 * The fields of a urlencoded body. Throws ERR_BAD_REQUEST for another content type, ERR_TOO_LARGE, and
 * ERR_FORBIDDEN when the browser says the form is from another site.
 */
export async function formOf(request: Request, origin: string): Promise<URLSearchParams> {
  const from = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if ((from !== null && from !== origin) || site === "cross-site") {
    throw new QfError("ERR_FORBIDDEN", "this form was sent by another site");
  }
  if (!(request.headers.get("content-type") ?? "").startsWith("application/x-www-form-urlencoded")) {
    throw new QfError("ERR_BAD_REQUEST", "this page takes a form");
  }
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > FORM_BYTES_MAX) throw new QfError("ERR_TOO_LARGE", "the form is too large");
  return new URLSearchParams(new TextDecoder().decode(bytes));
}
