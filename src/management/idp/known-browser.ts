/**
 * Cookies that mark browsers in which a person has signed in here before. In such a browser the person may
 * try their password while others guess it from elsewhere. The cookie signs no one in.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { sha256 } from "../../base/random.ts";
import { CookieKeys } from "./cookie-keys.ts";
import type { PasswordAccount } from "./store.ts";

const LIFETIME_SECONDS = 180 * 86_400;

type Person = Pick<PasswordAccount, "subject" | "passwordHash">;

export interface KnownBrowsers {
  /** The `Set-Cookie` value for a browser in which `person` has just signed in. */
  cookieFor(person: Person, nowSeconds: number): string;
  /** Names the browser that sent `cookies` if `person` has signed in there. Null: they have not. */
  find(cookies: string | undefined, person: Person, nowSeconds: number): string | null;
}

/** `cookieKeys` are the provider's own. A changed password makes every browser unknown again. */
export function createKnownBrowsers(cookieKeys: readonly string[], origin: string): KnownBrowsers {
  const keys = new CookieKeys(cookieKeys);
  const secure = origin.startsWith("https:") ? "; Secure" : "";
  return {
    cookieFor(person, nowSeconds) {
      const body = `${nowSeconds}.${randomBytes(16).toString("base64url")}`;
      const value = `${body}.${keys.sign(signedText(person, body))}`;
      const attributes = `Path=/idp; Max-Age=${LIFETIME_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
      return `${nameOf(person)}=${value}; ${attributes}`;
    },
    find(cookies, person, nowSeconds) {
      const wanted = nameOf(person);
      for (const pair of (cookies ?? "").split(";")) {
        const [name = "", value = ""] = pair.trim().split("=", 2);
        if (name !== wanted) continue;
        const [issuedAt = "", random = "", signature = ""] = value.split(".", 3);
        const body = `${issuedAt}.${random}`;
        if (!keys.verify(signedText(person, body), signature)) continue;
        if (Number(issuedAt) + LIFETIME_SECONDS > nowSeconds) return random;
      }
      return null;
    },
  };
}

/** One name per person, so that a browser can be known for several. It does not reveal who they are. */
function nameOf({ subject }: Person): string {
  return `qf_idp_known_${sha256(`qufabric/known-browser/name/${subject}`).slice(0, 16)}`;
}

function signedText({ subject, passwordHash }: Person, body: string): string {
  return `qufabric/known-browser/v1 ${subject} ${sha256(passwordHash)} ${body}`;
}
