/**
 * What the documents and the texts of `qf` are made of, taken apart for tests: code spans, code lines, hints.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "../..");

export interface Text {
  /** From the top folder of the repository. */
  readonly path: string;
  readonly text: string;
}

function read(path: string): Text {
  return { path: relative(ROOT, path), text: readFileSync(path, "utf8") };
}

/** Every Markdown file that people read: those of the top folder, `docs/` and `src/`. */
export function documents(): Text[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return [...top, ...docs, "src/ARCHITECTURE.md"].map((path) => read(join(ROOT, path)));
}

/** Every source file, comments included. */
export function sources(): Text[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => read(join(ROOT, "src", name)));
}

const FENCE = /^ *```[^\n]*\n([\s\S]*?)^ *```$/gm;

/** The lines inside fenced blocks, those that end with a backslash joined to the next. */
export function codeLines({ text }: Text): string[] {
  return [...text.matchAll(FENCE)].flatMap(([, block = ""]) => block.replace(/\\\n\s*/g, " ").split("\n"));
}

/** Fenced blocks that are marked as JSON. */
export function jsonBlocks({ text }: Text): string[] {
  return [...text.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

/** What stands in single backticks in running text, line breaks read as spaces. */
export function codeSpans({ text }: Text): string[] {
  const prose = text.replace(FENCE, "");
  return [...prose.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));
}

/** The text between code: no block, no span. */
export function proseOf({ text }: Text): string {
  return text.replace(FENCE, "").replace(/`[^`]+`/g, "");
}

export interface Link {
  /** Path as written, without the anchor; empty for a link within the page. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Links to files of the repository; what is on the web is left out. */
export function localLinks(document: Text): Link[] {
  const prose = document.text.replace(FENCE, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      return { path, anchor };
    });
}

/** The anchors that GitHub gives to a document's headings. */
export function anchorsOf({ text }: Text): string[] {
  return [...text.replace(FENCE, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}

/** The string literals of a source file that hold a blank, so are meant for people; substitutions as `X`. */
export function phrasesOf({ text }: Text): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
  return [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)]
    .map(([, plain, template]) => (plain ?? template ?? "").replace(/\$\{[^}]*\}/g, "X"))
    .filter((phrase) => phrase.includes(" "));
}

/** A fenced block without a language: commands for a shell, unless its mark says otherwise. */
export interface ShellBlock {
  readonly path: string;
  /** Line of its first command. */
  readonly line: number;
  /** Commands; a line that ends with a backslash is joined to the next. */
  readonly commands: readonly string[];
  /** Text of the HTML comment right before it, which readers do not see. */
  readonly mark: string | undefined;
}

/** The blocks of one page, in its order. */
export function shellBlocks({ path, text }: Text): ShellBlock[] {
  const blocks = text.matchAll(/(?:<!-- ([^\n]*?) -->\n+)?^( *)```([^\n]*)\n([\s\S]*?)^ *```$/gm);
  const shell = [...blocks].filter(([, , , language]) => language === "");
  return shell.map(({ index, 0: whole, 1: mark, 2: indent = "", 4: body = "" }) => ({
    path,
    line: text.slice(0, index + whole.indexOf("```\n")).split("\n").length + 1,
    commands: body
      .replace(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.slice(indent.length).trim())
      .filter((line) => line !== ""),
    mark,
  }));
}
