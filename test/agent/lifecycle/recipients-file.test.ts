import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseGivenFlags } from "../../../src/agent/contracts/flags.ts";
import { withRecipients } from "../../../src/agent/lifecycle/recipients-file.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const [ONE, TWO] = ["2", "3"].map((letter) => `age1${letter.repeat(58)}`) as [string, string];

function fileOf(text: string): string {
  const path = join(tempFolder(), "recipients");
  writeFileSync(path, text);
  return path;
}

async function recipientsOf(given: Record<string, string>, environment: Record<string, string> = {}) {
  return parseGivenFlags(await withRecipients(given, environment), environment).recordingRecipients;
}

test("recipients are the lines of the file that flag or variable names, each once", async () => {
  const path = fileOf(`# auditors\n\n${ONE}\r\n  ${TWO}\n${ONE}\n`);
  expect(await recipientsOf({ "recording-recipients": path })).toEqual([ONE, TWO]);
  const variable = { QF_RECORDING_RECIPIENTS: path };
  expect(await recipientsOf({}, variable)).toEqual([ONE, TWO]);
  expect(await recipientsOf({ "recording-recipients": fileOf(TWO) }, variable)).toEqual([TWO]);
  expect(await recipientsOf({ "recording-recipients": "" }, variable)).toEqual([]);
  expect(await recipientsOf({}, { QF_RECORDING_RECIPIENTS: "" })).toBeUndefined();
});

test.each([
  { name: "an empty file", text: "# nobody\n" },
  { name: "an identity in place of a recipient", text: `${ONE}\nAGE-SECRET-KEY-1${"Q".repeat(58)}\n` },
  { name: "a recipient with a letter too few", text: ONE.slice(0, -1) },
  {
    name: "more recipients than there may be",
    text: [..."023456789acdefghj"].map((letter) => `age1${letter.repeat(58)}`).join("\n"),
  },
])("$name is refused", async ({ text }) => {
  await expect(withRecipients({ "recording-recipients": fileOf(text) }, {})).rejects.toMatchObject({
    code: "ERR_USAGE",
  });
});

test("a file that is not there, or is a folder, is refused", async () => {
  const folder = join(tempFolder(), "folder");
  mkdirSync(folder);
  for (const path of [folder, join(folder, "none")]) {
    await expect(withRecipients({ "recording-recipients": path }, {})).rejects.toMatchObject({
      code: "ERR_PERMISSION",
    });
  }
});
