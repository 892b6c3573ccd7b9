/** Secrets are compared in one way only: in a time that does not say where a guess goes wrong. */
import { expect, test } from "bun:test";
import { isEqualSecret } from "../../src/base/random.ts";
import { readSources } from "./source-tree.ts";

const sources = readSources("src");
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "$1");

/** What a secret, or what stands for one, is called. */
const SECRET =
  /(?:secret|mac|csrf|signature|hash|password|nonce|idtoken|challenge|verifier|cookie|otp|tag|proof)$/i;
const OPERAND = String.raw`[\w.?]+(?:\([^()]*\))?`;
const COMPARED = new RegExp(String.raw`(${OPERAND})\s*[!=]==\s*(${OPERAND}|"[^"]*")`, "g");
/** Compared with one of these it is looked at, not guessed. */
const PLAIN = /^(?:undefined|null|true|false|-?\d[\d_]*|"[^"]*"|SQLITE.*|[A-Z][A-Z_]+)$/;

/** Comparisons of what is called like a secret and is none, or is no longer one. */
const PUBLIC: Readonly<Record<string, string>> = {
  "src/client/offline-login.ts": "the person's own token, on their own machine",
  "src/identity/verify.ts": "the digest of a public key, in a token whose signature is good",
  "src/management/login/approval.ts": "the id of an SSH session, which the asking machine has told us itself",
  "src/management/login/challenges.ts": "a challenge with its own spelling; its MAC is compared beside it",
  "src/management/login/prove.ts": "digests of tokens whose signature is good",
};

function guessable(text: string): string[] {
  return [...withoutComments(text).matchAll(COMPARED)].flatMap(([whole, left = "", right = ""]) => {
    const isPlain = PLAIN.test(left) || PLAIN.test(right) || /length$/.test(left) || /^typeof/.test(left);
    const named = [left, right].map((one) => one.replace(/\(.*\)$/, ""));
    return !isPlain && named.some((name) => SECRET.test(name)) ? [whole] : [];
  });
}

test("no secret is compared letter by letter", () => {
  const found = sources.flatMap(({ path, text }) =>
    path in PUBLIC ? [] : guessable(text).map((comparison) => `${path}: ${comparison}`),
  );
  expect(found).toEqual([]);
});

test("each exception is still one", () => {
  const gone = Object.keys(PUBLIC).filter((path) => {
    const source = sources.find((one) => one.path === path);
    return source === undefined || guessable(source.text).length === 0;
  });
  expect(gone).toEqual([]);
});

test("a comparison that should not be there is found", () => {
  expect(guessable("if (row.pollSecret === request.pollSecret) return;")).toHaveLength(1);
  expect(guessable("return sha256(typed) !== row.codeHash;")).toHaveLength(1);
  expect(guessable("if (secret === undefined || codeHash === null) return;")).toEqual([]);
});

test.each([
  ["secret", "secret", true],
  ["secret", "Secret", false],
  ["secret", "secre", false],
  ["secret", "secret\0", false],
  ["", "", true],
  ["", "a", false],
  ["é", "e\u0301", false],
  ["a".repeat(10_000), "a".repeat(10_000), true],
])("isEqualSecret of %p and %p", (a, b, want) => {
  expect(isEqualSecret(a, b)).toBe(want);
});
