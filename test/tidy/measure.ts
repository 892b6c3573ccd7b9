/**
 * The shape of the tree in figures: `bun test/tidy/measure.ts [CHECKOUT]`, by default the checkout it is in.
 *
 * The same figures of two revisions say which way the tree goes; `ratchet.test.ts` keeps it from going back.
 */
import { dirname, resolve } from "node:path";
import {
  bareExports,
  fileCycles,
  folderArrows,
  folderCycles,
  functionsOf,
  hasMirroredTest,
  importsOf,
  ROOT,
  readSources,
} from "./source-tree.ts";

const root = resolve(process.argv[2] ?? ROOT);
const files = readSources("src", root);
const functions = functionsOf("src", root);

const folders = new Map<string, number>();
for (const { path } of files) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
const sizes = [...folders].sort(([, a], [, b]) => b - a);
const bare = (layer: string): number =>
  files.filter(({ path }) => path.startsWith(`src/${layer}/`)).flatMap(bareExports).length;
const mirrored = files.filter(({ path }) => hasMirroredTest(path, root)).length;
const ofFolders = [...folders.keys()].map((folder) => {
  const inside = files.filter(({ path }) => path.startsWith(`${folder}/`) || dirname(path) === folder);
  return {
    folder,
    mirrored: inside.filter(({ path }) => hasMirroredTest(path, root)).length,
    all: inside.length,
  };
});
const lines = files.map(({ text }) => text.split("\n"));
const [longest] = functions;

const rows: [string, string][] = [
  ["files", String(files.length)],
  ["lines", String(lines.reduce((sum, { length }) => sum + length - 1, 0))],
  ["folders", String(folders.size)],
  [
    "most files in one folder",
    sizes
      .slice(0, 5)
      .map(([folder, count]) => `${folder} ${count}`)
      .join(", "),
  ],
  ["arrows between files", String(files.reduce((sum, file) => sum + importsOf(file).length, 0))],
  ["arrows between folders", String(folderArrows(files).length)],
  ["cycles between files", String(fileCycles(files).length)],
  ["cycles between folders", String(folderCycles(files).length)],
  ["exports without a doc: base", String(bare("base"))],
  ["exports without a doc: wire", String(bare("wire"))],
  ["exports without a doc: policy", String(bare("policy"))],
  ["mirrored tests", `${mirrored} of ${files.length}, ${Math.round((100 * mirrored) / files.length)} %`],
  ["longest function", longest === undefined ? "none" : `${longest.lines}: ${longest.path} ${longest.name}`],
  ["functions over 60 lines", String(functions.filter((one) => one.lines > 60).length)],
  ["files over 300 lines", String(lines.filter(({ length }) => length - 1 > 300).length)],
  ["lines over 110", String(lines.flat().filter((line) => line.length > 110).length)],
];
for (const [what, figure] of rows) process.stdout.write(`${what.padEnd(30)} ${figure}\n`);

process.stdout.write("\nfiles per folder, with those below it that have a test of their own\n");
for (const [folder, count] of sizes) {
  const below = ofFolders.find((one) => one.folder === folder);
  process.stdout.write(
    `${folder.padEnd(34)} ${String(count).padStart(3)}   ${below?.mirrored} of ${below?.all}\n`,
  );
}
process.stdout.write("\ncycles\n");
for (const cycle of [...fileCycles(files), ...folderCycles(files)])
  process.stdout.write(`${cycle.join(" ")}\n`);
process.stdout.write("\nfunctions over 60 lines\n");
for (const one of functions.filter(({ lines: count }) => count > 60)) {
  process.stdout.write(`${String(one.lines).padStart(4)} ${one.path} ${one.name}\n`);
}
