/**
 * Group names in a token or UserInfo answer, in the various formats that providers use.
 *
 * There is no common format: a list (most), one string or several separated by commas, an object whose keys
 * are the names (Zitadel), a nested list (`realm_access.roles`, Keycloak), paths with a leading slash
 * (Keycloak), or a reference elsewhere (Entra ID, OpenID Connect Core 5.6.2). Pure;
 * `management/login/person.ts` decides what the names mean for a person.
 *
 * @module
 */

/** The claim's content. Never truncated: tokens and UserInfo answers are bounded as a whole. */
export type GroupsClaim =
  /** No such claim. */
  | { readonly kind: "absent" }
  /** The provider has too many names for a token, and says where to fetch them. */
  | { readonly kind: "elsewhere" }
  /** The claim holds no names. `got` describes its content, for a log. */
  | { readonly kind: "unreadable"; readonly got: string }
  | NamedGroups;

export interface NamedGroups {
  readonly kind: "named";
  /** As written, each once. */
  readonly entries: readonly string[];
  /** A single string that may hold several names, separated by commas. */
  readonly isText: boolean;
  /** Number of entries that are not strings. */
  readonly unread: number;
}

/** No provider nests a claim deeper. */
const DEPTH_MAX = 8;

/**
 * Reads the claim at `path`: a name, or nested names separated by dots. A name may itself contain dots
 * (`https://example.com/roles`, `resource_access.my.client.roles`); the longest one present counts.
 */
export function readGroupsClaim(payload: Readonly<Record<string, unknown>>, path: string): GroupsClaim {
  const value = valueAt(payload, path, DEPTH_MAX);
  if (value !== undefined && value !== null) return namesOf(value);
  return isElsewhere(payload, path) ? { kind: "elsewhere" } : { kind: "absent" };
}

/**
 * Our group names that the claim contains. A name as written takes precedence over its parts and over itself
 * without the leading slash, so that a group called `a,b` does not put anyone into `a`.
 */
export function groupsAmong(claim: NamedGroups, isOurs: (name: string) => boolean): Set<string> {
  const found = claim.entries.flatMap((entry) => {
    const whole = asOurs(entry, isOurs);
    if (whole !== undefined || !claim.isText) return whole ?? [];
    return entry.split(",").flatMap((part) => asOurs(part.trim(), isOurs) ?? []);
  });
  return new Set(found);
}

function asOurs(name: string, isOurs: (name: string) => boolean): string | undefined {
  if (isOurs(name)) return name;
  const bare = name.startsWith("/") ? name.slice(1) : "";
  return bare !== "" && isOurs(bare) ? bare : undefined;
}

function valueAt(value: unknown, path: string, depthMax: number): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  if (depthMax === 0) return undefined;
  for (let at = path.lastIndexOf("."); at > 0; at = path.lastIndexOf(".", at - 1)) {
    const name = path.slice(0, at);
    if (!Object.hasOwn(value, name)) continue;
    const found = valueAt(value[name], path.slice(at + 1), depthMax - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function namesOf(value: unknown): GroupsClaim {
  if (typeof value === "string") return named([value], { isText: true, unread: 0 });
  if (Array.isArray(value)) {
    const texts = value.filter((entry) => typeof entry === "string");
    return named(texts, { isText: false, unread: value.length - texts.length });
  }
  if (isObject(value)) {
    const given = Object.keys(value).filter((name) => isGiven(value[name]));
    return named(given, { isText: false, unread: 0 });
  }
  return { kind: "unreadable", got: `a ${typeof value}` };
}

function named(entries: readonly string[], rest: Pick<NamedGroups, "isText" | "unread">): NamedGroups {
  return { kind: "named", entries: [...new Set(entries.filter((entry) => entry !== ""))], ...rest };
}

/** What stands beside a key: where it was given, mostly. Nothing there is no gift. */
function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/**
 * `_claim_names` names the claims that have to be fetched; `hasgroups` is what Entra ID writes for the same.
 */
function isElsewhere(payload: Readonly<Record<string, unknown>>, path: string): boolean {
  const names = payload._claim_names;
  const outermost = path.split(".")[0] ?? path;
  if (isObject(names) && (Object.hasOwn(names, path) || Object.hasOwn(names, outermost))) return true;
  return path === "groups" && (payload.hasgroups === true || payload.hasgroups === "true");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
