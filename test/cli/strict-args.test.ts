import { expect, test } from "bun:test";
import { command } from "../../src/cli/command.ts";
import { parseList, parseRepeated, parseSeconds, parseUrl } from "../../src/cli/parse.ts";
import { asksForHelp, checkArgs } from "../../src/cli/strict-args.ts";

const seen: unknown[] = [];
const sample = command(
  "usage: sample",
  {
    args: {
      name: { type: "positional", required: true },
      other: { type: "positional", required: false },
      url: { type: "string" },
      must: { type: "string", required: true },
      level: { type: "enum", options: ["low", "high"], default: "low" },
      detail: { type: "boolean", alias: "d" },
      many: { type: "string" },
      browser: { type: "boolean", default: true, negativeDescription: "none" },
    },
    run({ args }) {
      const { name, other, url, must, level, detail, many, browser } = args;
      seen.push({ name, other, url, must, level, detail, many, browser });
      return 7;
    },
  },
  { repeatable: ["many"] },
);

/** What `run` gets for `args`. */
async function ran(args: string[]): Promise<unknown> {
  expect(await sample.dispatch(checkArgs(sample, args))).toBe(7);
  return seen.pop();
}

test.each<[args: string[], want: Record<string, unknown>]>([
  [["n", "--must", "m"], { name: "n", must: "m", level: "low", browser: true, url: undefined }],
  [["--must=m", "n", "o"], { name: "n", other: "o" }],
  [["--must", "a=b", "n"], { must: "a=b" }],
  [["--must=--url", "n"], { must: "--url", name: "n" }],
  [["--must=", "n"], { must: "" }],
  [["--must", "m", "--", "--url"], { name: "--url", url: undefined }],
  [["--must", "m", "--", "-d"], { name: "-d", detail: undefined }],
  [["--must", "m", "-"], { name: "-" }],
  [["--must", "m", "-d", "n"], { detail: true }],
  [["--must", "m", "--detail", "n"], { detail: true }],
  [["--must", "m", "--detail=false", "n"], { detail: false }],
  [["--must", "m", "--detail=0", "n"], { detail: false }],
  [["--must", "m", "--no-browser", "n"], { browser: false }],
  [["--must", "m", "--no-browser=false", "n"], { browser: true }],
  [["--must", "m", "--level", "high", "n"], { level: "high" }],
  [["--must", "m", "--many", "a,b", "--many=c", "n"], { many: "a,b\nc" }],
])("checkArgs hands %p to the command as it was meant", async (args, want) => {
  expect(await ran(args)).toMatchObject(want);
});

test.each([
  [["n", "--must", "m", "--colour"], "unknown flag --colour"],
  [["n", "--must", "m", "-x"], "unknown flag -x"],
  [["n", "--must", "m", "--browser"], "unknown flag --browser"],
  [["n", "--must", "m", "--no-detail"], "unknown flag --no-detail"],
  [["n", "--must", "m", "--must", "o"], "--must is given more than once"],
  [["n", "--must", "m", "-d", "--detail"], "--detail is given more than once"],
  [["n", "--must"], "--must needs a value"],
  [["n", "--must", "--url", "u"], "--must needs a value"],
  [["n"], "--must is missing"],
  [["--must", "m"], "NAME is missing"],
  [["--must", "m", "a", "b", "c"], 'unexpected argument "c"'],
  [["n", "--must", "m", "--level", "middle"], "--level must be one of low, high"],
  [["n", "--must", "m", "--detail=maybe"], "--detail takes true or false"],
  [["n", "--must", "a\nb"], "--must has a line break in its value"],
])("checkArgs refuses %p", (args, want) => {
  expect(() => checkArgs(sample, args)).toThrow(want);
});

test.each([
  [["--help"], true],
  [["a", "-h"], true],
  [["a", "--", "--help"], false],
  [["a"], false],
])("asksForHelp of %p is %p", (args, want) => {
  expect(asksForHelp(args)).toBe(want);
});

test("values of flags are read strictly", () => {
  expect(parseSeconds("ttl", "60")).toBe(60);
  for (const text of ["", "-1", "1.5", "1e3", "0x10", " 1", "315360001"]) {
    expect(() => parseSeconds("ttl", text)).toThrow("--ttl must be");
  }
  expect(parseUrl("url", "https://qf.example.com/")).toBe("https://qf.example.com");
  for (const text of ["qf.example.com", "file:///x", "https://a:b@c", "https://a/?q"]) {
    expect(() => parseUrl("url", text)).toThrow("--url must be");
  }
  expect(parseRepeated(undefined)).toEqual([]);
  expect(parseList("a, b\nc,,")).toEqual(["a", "b", "c"]);
});
