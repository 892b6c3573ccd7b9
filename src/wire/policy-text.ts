/**
 * Parses and writes policy files: YAML 1.2 core, or JSON, which is YAML.
 *
 * It refuses anything that could mean something other than it seems, or cost more than its length: tags,
 * anchors and aliases, merge keys, duplicate keys, several documents, keys that are not text, more than 1 MB,
 * and more than 32 levels. Each refusal is one sentence. The only import of `yaml`. Read `parsePolicyText`.
 *
 * @module
 */
import { type Document, isMap, isNode, isScalar, Lexer, type Node, parseAllDocuments, visit } from "yaml";
import { QfError } from "../base/errors.ts";
import { describeIssues } from "./issues.ts";
import { PolicyFile } from "./policy-file.ts";

/** Largest policy file, in bytes of UTF-8. */
export const POLICY_TEXT_BYTES_MAX = 1_048_576;
/** Deepest nesting of lists and mappings. */
export const POLICY_TEXT_DEPTH_MAX = 32;

/**
 * Parses `text` as a policy file. Throws ERR_TOO_LARGE, or ERR_UNPROCESSABLE saying what is wrong and where.
 */
export function parsePolicyText(text: string): PolicyFile {
  return policyFileOf(readPolicyDocument(text).toJS({ maxAliasCount: 0 }));
}

/** `value` as a policy file. Throws ERR_UNPROCESSABLE naming the field. */
export function policyFileOf(value: unknown): PolicyFile {
  const parsed = PolicyFile.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw new QfError("ERR_UNPROCESSABLE", `the policy file: ${describeIssues(parsed.error)}`);
}

/** The document of `text`, with its comments, in the strict form. Throws as `parsePolicyText`. */
export function readPolicyDocument(given: string): Document.Parsed {
  requireSize(given);
  const text = plainIndentation(given.replace(/^\ufeff/, ""));
  requireFlowDepth(text);
  const documents = parseAllDocuments(text, {
    ...{ version: "1.2", schema: "core", strict: true, uniqueKeys: false, merge: false },
    ...{ stringKeys: false, prettyErrors: true, logLevel: "silent", resolveKnownTags: false },
  });
  const [document, second] = documents as Document.Parsed[];
  if (document === undefined) throw refused("is empty", "write policies:, groups: or tests:");
  const [error] = document.errors;
  if (error !== undefined) throw refused(sentenceOf(error.code, placeOf(error.linePos)));
  if (second !== undefined) throw refused("has more than one document", "leave out lines of three dashes");
  if (document.directives?.yaml.explicit === true) throw refused("has a %YAML line", "leave it out");
  requireStrict(document, text);
  return document;
}

function requireSize(text: string): void {
  if (new TextEncoder().encode(text).length <= POLICY_TEXT_BYTES_MAX) return;
  throw new QfError("ERR_TOO_LARGE", "the policy file is larger than 1 MB (1048576 bytes)");
}

/** JSON may be indented with tabs, YAML may not. JSON strings contain no line breaks. */
function plainIndentation(text: string): string {
  return text.trimStart().startsWith("{") ? text.replace(/^[ \t]+/gm, "") : text;
}

/** Counted on tokens, since the parser recurses once per level. */
function requireFlowDepth(text: string): void {
  let depth = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > POLICY_TEXT_DEPTH_MAX) throw tooDeep();
  }
}

function requireStrict(document: Document.Parsed, text: string): void {
  const place = (node: Node): string => lineOf(text, node.range?.[0] ?? 0);
  const requirePlain = (node: Node, path: readonly unknown[]): void => {
    if (path.filter((step) => isNode(step)).length > POLICY_TEXT_DEPTH_MAX) throw tooDeep();
    if (node.tag !== undefined) throw refused(`has a tag ${place(node)}`, "leave it out");
    if ("anchor" in node && node.anchor !== undefined) {
      throw refused(`has an anchor ${place(node)}`, "write what is meant in each place");
    }
  };
  visit(document, {
    Alias: (_, node) => {
      throw refused(`has an alias ${place(node)}`, "write what it stands for");
    },
    Map: (_, node, path) => {
      requirePlain(node, path);
      const keys = new Set<string>();
      for (const { key } of node.items) {
        keys.add(requireKey(key, keys, () => (isNode(key) ? place(key) : "somewhere")));
      }
    },
    Seq: (_, node, path) => requirePlain(node, path),
    Scalar: (_, node, path) => requirePlain(node, path),
  });
  if (document.contents !== null && !isMap(document.contents)) {
    if (isScalar(document.contents) && document.contents.value === null) return;
    throw refused("is not a mapping", "write policies:, groups: or tests:");
  }
}

/** The text of a key that is not in `before`. The library's own check is quadratic and takes minutes. */
function requireKey(key: unknown, before: ReadonlySet<string>, place: () => string): string {
  const text = isScalar(key) ? key.value : undefined;
  if (typeof text !== "string") throw refused(`has a key that is not text ${place()}`, "put it in quotes");
  if (text === "<<") throw refused(`has a merge key ${place()}`, "write what it stands for");
  if (text === "__proto__") throw refused(`has a key ${place()} that nothing may be called`);
  if (before.has(text)) throw refused(`has the same key twice ${place()}`);
  return text;
}

/** The library's codes in our words; its messages quote the file. */
function sentenceOf(code: string, place: string): string {
  switch (code) {
    case "TAB_AS_INDENT":
      return `is indented with a tab ${place}; YAML takes spaces`;
    case "TAG_RESOLVE_FAILED":
      return `has a tag ${place}; leave it out`;
    case "BAD_ALIAS":
      return `has an alias ${place}; write what it stands for`;
    case "BAD_INDENT":
      return `is not indented as its place needs ${place}`;
    default:
      return `is not valid YAML ${place}`;
  }
}

function placeOf(position: readonly { readonly line: number; readonly col: number }[] | undefined): string {
  const at = position?.[0];
  return at === undefined ? "somewhere" : `at line ${at.line}, column ${at.col}`;
}

function lineOf(text: string, offset: number): string {
  return `at line ${text.slice(0, offset).split("\n").length}`;
}

function refused(what: string, hint?: string): QfError {
  return new QfError("ERR_UNPROCESSABLE", `the policy file ${what}`, hint === undefined ? {} : { hint });
}

function tooDeep(): QfError {
  return refused(`has more than ${POLICY_TEXT_DEPTH_MAX} levels within one another`);
}
