/**
 * What STYLE asks of the tree and the tree does not wholly give yet. `ratchet.ts` lists the exceptions with
 * today's figures: none may grow, none may come, and an entry that is no longer needed has to go.
 */
import { expect, test } from "bun:test";
import {
  FILE_CYCLES,
  FILE_LINES_MAX,
  FOLDER_CYCLES,
  FUNCTION_LINES_MAX,
  HEADER_FROM_LINES,
  LINE_CHARACTERS_MAX,
  LONG_FILES,
  LONG_FUNCTIONS,
  MIRRORED_PERCENT_MIN,
  NEEDS_NO_TEST,
  PROSE_ASSERTIONS_MAX,
  RIDDLE_HEADERS,
  SENTENCES_ARE_THE_CONTRACT,
  TIMED_WAITS_MAX,
  UNDOCUMENTED,
  UNTESTED,
  WIDE_LINES,
} from "./ratchet.ts";
import {
  bareExports,
  fileCycles,
  folderCycles,
  functionsOf,
  hasMirroredTest,
  hasRuntime,
  headerOf,
  proseAssertions,
  readSources,
  type SourceFile,
  timedWaits,
} from "./source-tree.ts";

const sources = readSources("src");
const tests = readSources("test");

type Figures = Readonly<Record<string, number>>;

/** Fails by name: what is new or has grown, and what is listed and not there any more. */
function expectRatchet(found: Figures, allowed: Figures): void {
  const grown = Object.entries(found)
    .filter(([name, figure]) => figure > (allowed[name] ?? 0))
    .map(([name, figure]) => `${name}: ${figure}, allowed ${allowed[name] ?? 0}`);
  const gone = Object.keys(allowed).filter((name) => !(name in found));
  expect({ grown, gone }).toEqual({ grown: [], gone: [] });
}

/** Figures above zero, by path. */
function byPath(files: readonly SourceFile[], figureOf: (file: SourceFile) => number): Figures {
  return Object.fromEntries(
    files.map((file) => [file.path, figureOf(file)] as const).filter(([, figure]) => figure > 0),
  );
}

test(`files have at most ${FILE_LINES_MAX} lines`, () => {
  const long = byPath(sources, ({ text }) => {
    if (text.includes("not to be edited")) return 0; // A program has written it.
    const lines = text.split("\n").length - 1;
    return lines > FILE_LINES_MAX ? lines : 0;
  });
  expectRatchet(long, LONG_FILES);
});

test(`functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
  const long = functionsOf("src").filter(({ lines }) => lines > FUNCTION_LINES_MAX);
  expectRatchet(
    Object.fromEntries(long.map(({ path, name, lines }) => [`${path} ${name}`, lines])),
    LONG_FUNCTIONS,
  );
});

test(`lines have at most ${LINE_CHARACTERS_MAX} characters, titles of tests and class names aside`, () => {
  const isTitle = (line: string): boolean =>
    /^\s*test(?:\.\w+)?\("|^\)\("|\bclassName="|^\s*(?:[?:] )?"[-\w :[\]()/.%*&>=+,]*"(?:,| \+|;)?$/.test(
      line,
    );
  const wide = byPath(
    [...sources, ...tests],
    ({ text }) => text.split("\n").filter((l) => l.length > LINE_CHARACTERS_MAX && !isTitle(l)).length,
  );
  expectRatchet(wide, WIDE_LINES);
});

test("no file imports itself by way of others", () => {
  expectRatchet(
    Object.fromEntries(fileCycles(sources).map((cycle) => [cycle.join(" "), cycle.length])),
    FILE_CYCLES,
  );
});

test("no folder imports itself by way of others, so that each is either above or below another", () => {
  expectRatchet(
    Object.fromEntries(folderCycles(sources).map((cycle) => [cycle.join(" "), cycle.length])),
    FOLDER_CYCLES,
  );
});

test("every export of base, wire and policy has a doc comment", () => {
  const documented = sources.filter(({ path }) => /^src\/(?:base|wire|policy)\//.test(path));
  expectRatchet(
    byPath(documented, (file) => bareExports(file).length),
    UNDOCUMENTED,
  );
});

test(`a file of more than ${HEADER_FROM_LINES} lines opens with a header`, () => {
  const without = sources.filter(
    (file) =>
      file.text.split("\n").length - 1 > HEADER_FROM_LINES &&
      headerOf(file) === undefined &&
      // A command's help text is its header.
      !file.path.startsWith("src/cli/commands/"),
  );
  expect(without.map(({ path }) => path)).toEqual([]);
});

test("headers begin with their subject, not with a question word", () => {
  const riddle =
    /^(?:How|What|When|Where|Whether|Who|Whom|Whose|Whoever|Which|Why|From|For|One|Those|That|May|So that)\b/;
  const riddles = byPath(sources, (file) => (riddle.test(headerOf(file) ?? "") ? 1 : 0));
  expectRatchet(riddles, RIDDLE_HEADERS);
});

const needsTest = (file: SourceFile): boolean =>
  hasRuntime(file) && !NEEDS_NO_TEST.some(({ files }) => files.test(file.path));

test("a new source comes with a test of its own", () => {
  const untested = sources.filter((file) => needsTest(file) && !hasMirroredTest(file.path));
  const layers: Record<string, number> = {};
  for (const { path } of untested) {
    const layer = path.split("/").slice(0, 2).join("/");
    layers[layer] = (layers[layer] ?? 0) + 1;
  }
  expectRatchet(layers, UNTESTED);
});

test(`at least ${MIRRORED_PERCENT_MIN} % of the sources that need a test have one of their own`, () => {
  const needed = sources.filter(needsTest);
  const mirrored = needed.filter(({ path }) => hasMirroredTest(path));
  expect(Math.floor((100 * mirrored.length) / needed.length)).toBeGreaterThanOrEqual(MIRRORED_PERCENT_MIN);
});

/** Tests alone: what supports them, and what measures, paces itself as it needs. */
const ownTests = tests.filter(
  ({ path }) => /\.test\.ts$/.test(path) && !/^test\/(?:bench|support)\//.test(path),
);

test(`tests wait for a time in at most ${TIMED_WAITS_MAX} places, and else for a condition`, () => {
  expect(ownTests.reduce((sum, file) => sum + timedWaits(file), 0)).toBeLessThanOrEqual(TIMED_WAITS_MAX);
});

test(`at most ${PROSE_ASSERTIONS_MAX} assertions are on a sentence that is not the contract itself`, () => {
  const others = ownTests.filter(({ path }) => !SENTENCES_ARE_THE_CONTRACT.test(path));
  const found = others.reduce((sum, file) => sum + proseAssertions(file), 0);
  expect(found).toBeLessThanOrEqual(PROSE_ASSERTIONS_MAX);
});

test("what needs no test is there, and has none", () => {
  const idle = NEEDS_NO_TEST.filter(({ files }) => !sources.some(({ path }) => files.test(path)));
  expect(idle.map(({ files }) => files.source)).toEqual([]);
  const tested = sources.filter(
    ({ path }) => NEEDS_NO_TEST.some(({ files }) => files.test(path)) && hasMirroredTest(path),
  );
  expect(tested.map(({ path }) => path)).toEqual([]);
});
