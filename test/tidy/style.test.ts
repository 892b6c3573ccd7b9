/** Habits of this source that a machine can keep. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(ROOT, folder, name));
}

const sources = filesOf("src").map((path) => ({
  path: relative(ROOT, path),
  text: readFileSync(path, "utf8"),
}));
const tests = filesOf("test").map((path) => ({
  path: relative(ROOT, path),
  text: readFileSync(path, "utf8"),
}));
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "$1");

interface Ban {
  readonly what: RegExp;
  readonly instead: string;
  /** Files in which it has its one place. */
  readonly except: RegExp;
}

const BANS: readonly Ban[] = [
  { what: /\bDate\.now\(|new Date\(\)/, instead: "Clock", except: /^src\/(?:base\/clock\.ts$|dashboard\/)/ },
  {
    what: /\bprocess\.exit\(/,
    instead: "process.exitCode, or an exit code returned to main.ts",
    except: /^src\/main\.ts$/,
  },
  {
    what: /\bconsole\./,
    instead: "Log, or process.stdout and process.stderr",
    // Keeps oidc-provider from writing to it.
    except: /^src\/management\/idp\/provider\.ts$/,
  },
  { what: /\bMath\.random\(/, instead: "base/random.ts", except: /^$/ },
  { what: /export default/, instead: "a named export", except: /^$/ },
  { what: /\benum\s+\w+\s*\{/, instead: "a union of literals", except: /^$/ },
  { what: /:\s*any\b|\bas any\b|<any>/, instead: "unknown and a parser", except: /^$/ },
  { what: /@ts-(?:ignore|nocheck)/, instead: "a type that is true", except: /^$/ },
  { what: /\beval\(|new Function\(/, instead: "code", except: /^$/ },
];

test("source files use what we have instead of what is banned", () => {
  const wrong = sources.flatMap(({ path, text }) =>
    BANS.filter((ban) => !ban.except.test(path) && ban.what.test(withoutComments(text))).map(
      (ban) => `${path}: ${ban.what.source} → ${ban.instead}`,
    ),
  );
  expect(wrong).toEqual([]);
});

test("nothing is left to be done in comments, and no test is skipped or alone", () => {
  const marks = /\b(?:TO-?DO|FIX-?ME|X{3}|HACK)\b/;
  const skips = /\b(?:test|it|describe)\.(?:skip|todo|only)\b/;
  const wrong = [...sources, ...tests].filter(
    ({ path, text }) => !path.startsWith("test/tidy/") && (marks.test(text) || skips.test(text)),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("no file has 500 lines", () => {
  const long = sources.filter(({ text }) => text.split("\n").length > 500).map(({ path }) => path);
  expect(long).toEqual([]);
});

test("cannot is one word, in code, tests and documents", () => {
  const documents = Bun.spawnSync(["git", "ls-files", "*.md"], { cwd: ROOT })
    .stdout.toString()
    .split("\n")
    .filter(Boolean)
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
  // Comments may break a line between the two.
  const apart = /\bcan(?:\s|\n\s*(?:\*|\/\/))+not\b/i;
  const wrong = [...sources, ...tests, ...documents].filter(({ text }) => apart.test(text));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("files are named in kebab case, without catch-all names", () => {
  const wrong = sources
    .map(({ path }) => path)
    .filter((path) => !path.endsWith(".d.ts"))
    .filter((path) => {
      const name = path.split("/").at(-1) ?? "";
      return (
        !/^[a-z0-9]+(?:-[a-z0-9]+)*\.tsx?$/.test(name) ||
        /^(?:utils?|helpers?|common|manager|service|index|misc)\.tsx?$/.test(name)
      );
    });
  expect(wrong).toEqual([]);
});

test("imports name the file, with its extension", () => {
  const wrong = [...sources, ...tests].flatMap(({ path, text }) =>
    [...text.matchAll(/from "(\.[^"]+)"/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !/\.(?:tsx?|json|txt|sql|html|css|sh)$/.test(target))
      .map((target) => `${path}: ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("nothing committed carries a path or host of the machine it was made on", () => {
  const list = Bun.spawnSync(["git", "ls-files", "-z"], { cwd: ROOT })
    .stdout.toString()
    .split("\0")
    .filter(Boolean);
  const home = ["/ro", "ot/"].join("");
  const work = ["/wo", "rk/"].join("");
  const wrong = list
    .filter((path) => path !== "bun.lock")
    .filter((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return text.includes(work) || text.includes(`${home}.`);
    });
  expect(wrong).toEqual([]);
});

test("a denial's sentence is worded in one place", () => {
  const sentences = [
    "User is not authorized to access this peer",
    "No authorization mapping for OS user",
    "root login is disabled",
  ];
  const wrong = sources.filter(
    ({ path, text }) =>
      path !== "src/policy/sentences.ts" &&
      sentences.some((sentence) => withoutComments(text).includes(sentence)),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});
