/**
 * What `/api/openapi.json` says of a request: a status that it does not name is a fault of the document.
 */

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}

/** Answers that the document cannot speak of: nothing at that path, another method, a preflight. */
const OUTSIDE = new Set([404, 405, 204]);

/** Undefined where the document names the status, or does not speak of the request; else what is missing. */
export function undocumentedStatus(
  document: Document,
  { method, pathname, status }: { method: string; pathname: string; status: number },
): string | undefined {
  const path = Object.keys(document.paths)
    .sort((a, b) => Number(a.includes("{")) - Number(b.includes("{")))
    .find((pattern) => patternOf(pattern).test(pathname));
  const operation = path === undefined ? undefined : document.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) return OUTSIDE.has(status) ? undefined : `${method} ${pathname} ${status}`;
  return Object.hasOwn(operation.responses, String(status)) ? undefined : `${method} ${path} ${status}`;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+")}$`);
}
