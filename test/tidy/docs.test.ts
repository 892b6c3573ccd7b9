/**
 * What documents, hints and help say is there: every command, flag, variable, path, route and link that they
 * name.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ADMIN_ROUTES } from "../../src/management/http/admin/app.ts";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { REASON_CODES } from "../../src/wire/reason.ts";
import { allFlags, mentionsIn, missingOf } from "./command-mentions.ts";
import {
  anchorsOf,
  codeLines,
  codeSpans,
  documents,
  localLinks,
  phrasesOf,
  proseOf,
  ROOT,
  sources,
  type Text,
} from "./documents.ts";

const DOCUMENTS = documents();
const SOURCES = sources();
const SOURCE_TEXT = SOURCES.map(({ text }) => text).join("\n");

/** Shell code, in which the flags of other programs stand. */
const OTHERS_FLAGS = /^src\/(?:cli\/completion\/scripts\.ts$|dashboard\/components\/)/;

/** What is said to people, line by line, and where. */
interface Saying {
  readonly where: string;
  readonly line: string;
  readonly isCode: boolean;
}

function sayingsOfDocument(document: Text): Saying[] {
  const lines = [...codeLines(document), ...codeSpans(document)];
  return lines.map((line) => ({ where: document.path, line, isCode: true }));
}

/** Every line of a source: help, hints, messages and comments, wrapped comments joined. */
function sayingsOfSource({ path, text }: Text): Saying[] {
  const joined = text.replace(/\n\s*\*\s/g, " ").replace(/\\\\\n\s*/g, " ");
  return joined.split("\n").map((line) => ({ where: path, line, isCode: false }));
}

async function missingIn(sayings: readonly Saying[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { where, line, isCode } of sayings) {
    for (const mention of mentionsIn(line, isCode)) {
      for (const what of await missingOf(mention)) missing.push(`${where}: ${what}`);
    }
  }
  return missing;
}

describe("a command that is named exists, with its flags", () => {
  test("in documents", async () => {
    expect(await missingIn(DOCUMENTS.flatMap(sayingsOfDocument))).toEqual([]);
  });

  test("in help, hints, messages and comments of the source", async () => {
    expect(
      await missingIn(SOURCES.filter(({ path }) => !OTHERS_FLAGS.test(path)).flatMap(sayingsOfSource)),
    ).toEqual([]);
  });

  test("in what a refusal says", async () => {
    const sayings = REASON_CODES.flatMap((reason) =>
      Object.values(sentenceOf(reason)).map((line) => ({ where: reason, line, isCode: false })),
    );
    expect(await missingIn(sayings)).toEqual([]);
  });

  test.each([
    ["give one with qf ssh --because", "qf ssh --because"],
    ["see `qf policy describe RECEIPT`", "qf policy describe"],
    ["run qf peer eject web1", "qf peer eject"],
    ["qf user create|rename NAME", "qf user rename"],
    ["qf agent up --enable-sftp there", "qf agent up --enable-sftp"],
    ["qf up --enable-sftp", "qf up --enable-sftp"],
    ["qf ssh -N -o Compresion=yes web1", "qf ssh -o Compresion=yes"],
    ["qf ssh -X web1 ls --all", "qf ssh -X"],
    ["qf proxy dial web1", "qf proxy dial"],
    ["qf seance list", "qf seance"],
    ["qf --verbose", "qf --verbose"],
  ])("%s: %s is missed", async (line, want) => {
    expect(await missingIn([{ where: "here", line, isCode: true }])).toEqual([`here: ${want}`]);
  });

  test.each([
    "qf ssh -N -L 5432:db:5432 deploy@web1 ls --all",
    "ask with qf login --ssh-jwt-cache-ttl 60, or qf ssh -v",
    "qf --help",
    "qf up --allow-server-ssh --listen=none",
    "qf user create|update --groups A",
    "qufabric status -d --json",
    "dist/qf ping -c 3 web1",
    "ssh -o ProxyCommand='qf ssh -W %h:%p web1' db",
  ])("%s is there", async (line) => {
    expect(await missingIn([{ where: "here", line, isCode: true }])).toEqual([]);
  });
});

describe("a flag that is named alone exists", () => {
  /** `--flag` stands for any of them, and so does what ends with dots. */
  const flagsIn = (line: string): string[] =>
    [...line.matchAll(/(?<![\w-])(--[a-z][a-z0-9-]+)(\.\.\.)?/g)]
      .filter(([, flag, dots]) => flag !== "--flag" && dots === undefined)
      .map(([, flag = ""]) => flag);

  test("in code spans of documents", async () => {
    const known = await allFlags();
    const missing = DOCUMENTS.flatMap((document) =>
      codeSpans(document)
        .filter((span) => span.startsWith("--"))
        .flatMap((span) => flagsIn(span).filter((flag) => !known.has(flag)))
        .map((flag) => `${document.path}: ${flag}`),
    );
    expect(missing).toEqual([]);
  });

  test("in hints, messages, refusals and help", async () => {
    const known = await allFlags();
    const phrases = SOURCES.filter(({ path }) => !OTHERS_FLAGS.test(path)).flatMap((source) =>
      phrasesOf(source).map((phrase) => ({ where: source.path, phrase })),
    );
    const named = phrases.flatMap(({ where, phrase }) => flagsIn(phrase).map((flag) => ({ where, flag })));
    expect(named.length).toBeGreaterThan(200);
    const missing = named.filter(({ flag }) => !known.has(flag));
    expect(missing.map(({ where, flag }) => `${where}: ${flag}`)).toEqual([]);
  });
});

test("a variable that a document names is read by the source", () => {
  const flags = SOURCE_TEXT;
  const isRead = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(SOURCE_TEXT) ||
    flags.includes(`"${name.replace(/^QF_/, "").toLowerCase().replaceAll("_", "-")}"`);
  const missing = DOCUMENTS.flatMap((document) =>
    [...document.text.matchAll(/\bQF_[A-Z_]*[A-Z]\b/g)]
      .filter(([name]) => !isRead(name))
      .map(([name]) => `${document.path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("a make target that a document names is in the Makefile", () => {
  const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
  const targets = new Set([...makefile.matchAll(/^([a-z-]+):/gm)].map(([, target]) => target));
  const missing = DOCUMENTS.flatMap((document) =>
    [...codeLines(document), ...codeSpans(document)]
      .flatMap((line) => [...line.matchAll(/(?:^|\s)make ([a-z-]+)(?=\s|$)/g)])
      .filter(([, target]) => !targets.has(target ?? ""))
      .map(([, target]) => `${document.path}: make ${target}`),
  );
  expect(missing).toEqual([]);
});

test("a route that a document names is served", () => {
  const known = new Set(ADMIN_ROUTES.map(({ path }) => path.replace(/:\w+/g, "ID")));
  // A WebSocket, which is no route of that table.
  known.add("/api/sessions/ID/watch");
  const missing = DOCUMENTS.flatMap((document) =>
    [...document.text.matchAll(/(?<![\w.])\/api\/[a-z][\w/{}.-]*[\w}]/g)]
      .map(([path]) => path)
      .filter((path) => path !== "/api/openapi.json" && !known.has(path.replace(/\{\w+\}/g, "ID")))
      .filter((path) => !new URL(path, "http://x").pathname.startsWith("/api/client/"))
      .map((path) => `${document.path}: ${path}`),
  );
  expect(missing).toEqual([]);
});

test("a path of this repository that a document names is there", () => {
  const beginnings = /^(?:src|test|docs|patches|\.ci)\/|^[A-Z]+\.md$/;
  const missing = DOCUMENTS.filter(({ path }) => path !== "src/ARCHITECTURE.md").flatMap((document) =>
    codeSpans(document)
      .filter((span) => beginnings.test(span) && !/[\s*<]/.test(span))
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${document.path}: ${path}`),
  );
  expect(missing).toEqual([]);
});

test("a path of the product that a document names is in the source", () => {
  const missing = DOCUMENTS.flatMap((document) =>
    [...codeLines(document), ...codeSpans(document)]
      .flatMap((line) => [...line.matchAll(/(?<![\w.:~/-])\/(?:etc|var|run)\/[\w./-]*qufabric[\w./-]*/g)])
      .filter(([path]) => !SOURCE_TEXT.includes(path.replace(/^\/etc\/pam\.d\//, "/pam.d/")))
      .map(([path]) => `${document.path}: ${path}`),
  );
  expect(missing).toEqual([]);
});

test("a field, setting or constant that a document names is in the source", () => {
  /** Of PAM, of identity providers, of npm. */
  const others = new Set("no_pass_expiry realm_access groups_direct external_url node_modules".split(" "));
  const identifiers = /\b(?:[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+|[A-Z][a-z]+[A-Z][A-Za-z]*)\b/g;
  const known = new Set(SOURCE_TEXT.match(/\w+/g));
  const missing = DOCUMENTS.flatMap((document) =>
    codeSpans(document)
      .filter((span) => !/[/$]|QF_|^--|pam_/.test(span))
      .flatMap((span) => span.match(identifiers) ?? [])
      .filter((name) => !known.has(name) && !others.has(name))
      .map((name) => `${document.path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("a link leads to a file and a heading that are there", () => {
  const byPath = new Map(DOCUMENTS.map((document) => [document.path, document]));
  const broken = DOCUMENTS.flatMap((document) =>
    localLinks(document)
      .filter(({ path, anchor }) => {
        const target = path === "" ? document.path : relative(ROOT, join(ROOT, dirname(document.path), path));
        if (!existsSync(join(ROOT, target))) return true;
        const page = byPath.get(target);
        return anchor !== undefined && (page === undefined || !anchorsOf(page).includes(anchor));
      })
      .map(({ path, anchor }) => `${document.path}: ${path}${anchor === undefined ? "" : `#${anchor}`}`),
  );
  expect(broken).toEqual([]);
});

test("commands stand in code, so that the tests above see them", () => {
  const bare = DOCUMENTS.flatMap((document) =>
    mentionsIn(proseOf(document).replace(/\s+/g, " "), false).map(
      ({ words }) => `${document.path}: qf ${words}`,
    ),
  );
  expect(bare).toEqual([]);
});

test("every page of docs is reached from README.md, which stays short", () => {
  const readme = DOCUMENTS.find(({ path }) => path === "README.md");
  if (readme === undefined) throw new Error("there is no README.md");
  // A folder of pages has its own README.md, which lists them.
  const lists = DOCUMENTS.filter(({ path }) => /^docs\/\w+\/README\.md$/.test(path));
  const linked = [readme, ...lists].flatMap((list) =>
    localLinks(list).map(({ path }) => join(dirname(list.path), path)),
  );
  const pages = DOCUMENTS.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  expect(pages.filter((path) => !linked.includes(path))).toEqual([]);
  expect(readme.text.split("\n").length).toBeLessThan(200);
});

test("the figures of README.md are those of BENCHMARKS.md", () => {
  const linesOf = (path: string) =>
    DOCUMENTS.find((document) => document.path === path)?.text.split("\n") ?? [];
  const readme = linesOf("README.md");
  const head = readme.indexOf("| what | QuFabric | against | ratio | goal |");
  const rows = readme.slice(head + 2, readme.indexOf("", head));
  const known = linesOf("BENCHMARKS.md");
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter((row) => !known.includes(row))).toEqual([]);
});

test("docs/troubleshooting.md explains every reason for a refusal, by its sentence", () => {
  const page = DOCUMENTS.find(({ path }) => path === "docs/troubleshooting.md")?.text ?? "";
  const rows = page.split("\n").filter((line) => line.startsWith("| "));
  const unexplained = REASON_CODES.filter(
    (code) =>
      !rows.some((row) => row.startsWith(`| ${sentenceOf(code).sentence} | `) && row.includes(`\`${code}\``)),
  );
  expect(unexplained).toEqual([]);
});

test("a layer that ARCHITECTURE.md calls the door of a package imports it", () => {
  const map = DOCUMENTS.find(({ path }) => path === "src/ARCHITECTURE.md")?.text ?? "";
  const rows = [...map.matchAll(/^\| `([^`]+)` \| ([a-z, ]+) \| [^|]+ \|$/gm)];
  const doors = rows
    .flatMap(([, name = "", layers = ""]) => layers.split(", ").map((layer) => ({ name, layer })))
    .filter(({ layer }) => layer !== "development");
  expect(doors.length).toBeGreaterThan(10);
  const isUsed = ({ name, layer }: { name: string; layer: string }): boolean => {
    const imports = new RegExp(`(?:from |import\\()"${name}(?:/[^"]*)?"`);
    return SOURCES.some(({ path, text }) => path.startsWith(`src/${layer}/`) && imports.test(text));
  };
  expect(doors.filter((door) => !isUsed(door))).toEqual([]);
});

test("nothing but what is agreed on stands at the top", () => {
  const agreed = [
    ..."README.md SECURITY.md BENCHMARKS.md CHANGELOG.md CONTRIBUTING.md LICENSE install.sh".split(" "),
    ..."Makefile build.ts package.json tsconfig.json biome.json bunfig.toml bun.lock".split(" "),
    ..."src test docs packaging patches".split(" "),
  ];
  const tracked = Bun.spawnSync(["git", "ls-files", "-z"], { cwd: ROOT }).stdout.toString().split("\0");
  const top = new Set(tracked.filter(Boolean).map((path) => path.split("/")[0] ?? ""));
  expect([...top].filter((name) => !name.startsWith(".") && !agreed.includes(name))).toEqual([]);
});
