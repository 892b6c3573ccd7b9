/**
 * `--recording-recipients FILE`: reads age recipients from a file, one per line, in age(1)'s format.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { AgeRecipient, RECORDING_RECIPIENTS_MAX } from "../../wire/recording.ts";
import { type Environment, environmentName, type GivenFlags } from "../contracts/flags.ts";

const FLAG = "recording-recipients";
const FILE_BYTES_MAX = 65_536;

/**
 * Replaces the file name in `given` by the recipients in the file. An empty name means none. Throws ERR_USAGE
 * for an invalid file, ERR_PERMISSION for an unreadable one.
 */
export async function withRecipients(given: GivenFlags, environment: Environment): Promise<GivenFlags> {
  const path = given[FLAG] ?? (environment[environmentName(FLAG)] || undefined);
  if (path === undefined) return given;
  if (path === "") return { ...given, [FLAG]: [] };
  return { ...given, [FLAG]: await readRecipients(String(path)) };
}

async function readRecipients(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readSmallFile(path, FILE_BYTES_MAX);
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `the file ${path} cannot be read`, { cause });
  }
  const lines = text.split("\n").map((line) => line.trim());
  const recipients = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const other = recipients.findIndex((line) => !AgeRecipient.safeParse(line).success);
  if (recipients.length === 0) throw unusable(path, "names no recipient");
  if (other >= 0) throw unusable(path, "has a line that is no age recipient");
  if (recipients.length > RECORDING_RECIPIENTS_MAX) {
    throw unusable(path, `names more than ${RECORDING_RECIPIENTS_MAX} recipients`);
  }
  return [...new Set(recipients)];
}

function unusable(path: string, problem: string): QfError {
  return new QfError("ERR_USAGE", `the file ${path} ${problem}`, {
    hint: "a line each, as age-keygen prints them: age1…",
  });
}
