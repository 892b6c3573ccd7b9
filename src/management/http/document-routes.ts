/**
 * `/docs`: the documents of this build. Public, as the repository is.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { pageHeaders } from "../../base/html.ts";
import { DOCUMENTS_PATH, documentPage } from "../web/document-pages.ts";
import type { Route } from "./request-entry.ts";

/** The route that serves every page. */
export const DOCUMENT_ROUTE: Route = { prefix: DOCUMENTS_PATH, answer: answerDocument };

function answerDocument(request: Request): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new QfError("ERR_METHOD_NOT_ALLOWED", "documents can only be read");
  }
  const text = documentPage(new URL(request.url).pathname.replace(/(?<=.)\/$/, ""));
  if (text === undefined) throw new QfError("ERR_NOT_FOUND", "there is no such page");
  return new Response(text, { headers: pageHeaders() });
}
