/**
 * `--posture-checks CHECK,...`: the posture checks of a policy, by name or id.
 *
 * @module
 */
import { PostureCheck } from "../wire/posture.ts";
import type { Admin } from "./admin.ts";
import { parseList } from "./parse.ts";
import { theOne } from "./the-one.ts";

/** Undefined: the flag was not given. Throws ERR_NOT_FOUND for an unknown check. */
export async function checkIds(
  admin: Pick<Admin, "request">,
  text: string | undefined,
): Promise<string[] | undefined> {
  if (text === undefined) return undefined;
  const names = parseList(text);
  if (names.length === 0) return [];
  const { value } = await admin.request("GET", "/api/posture-checks", { answer: PostureCheck.array() });
  return names.map((name) => theOne("posture-check", name, value, (check) => [check.id, check.name]).id);
}
