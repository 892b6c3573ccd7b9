/**
 * Sorts the API's refusal of a policy file by the field that each fault is about.
 *
 * @module
 */
import { ApiError } from "../../api/client.ts";

export interface FieldProblems {
  /** Keyed by a field of the policy, such as `name`. */
  readonly policy: ReadonlyMap<string, string>;
  /**
   * Keyed by rule index, then by field, such as `sources` or `ssh.env`. An empty name means the rule itself.
   */
  readonly rules: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** All other faults. */
  readonly rest: string | null;
}

const NONE: FieldProblems = { policy: new Map(), rules: new Map(), rest: null };
const PREFIX = /^the policy file: /i;
const PLACE = new RegExp(
  String.raw`^(?:unknown field .* in )?policies\[(\d+)\](?:\.rules\[(\d+)\])?` +
    String.raw`\.?([a-z_.]*)(?:\[[^\]]*\]|\.\S*)*\s*(.*)$`,
  "su",
);

/** `place` is the index of the edited policy in the file that was sent. */
export function problemsOf(error: unknown, place: number): FieldProblems {
  if (!(error instanceof ApiError) || error.status !== 422) return NONE;
  const policy = new Map<string, string>();
  const rules = new Map<number, Map<string, string>>();
  const rest: string[] = [];
  for (const fault of error.message.replace(PREFIX, "").replace(/\.$/, "").split("; ")) {
    const match = PLACE.exec(fault);
    if (match === null || Number(match[1]) !== place) {
      rest.push(fault);
      continue;
    }
    const [, , rule, written = "", said = ""] = match;
    const field = fieldOf(written);
    const text = sentence(said === "" ? fault : said, error.hint);
    if (rule === undefined) policy.set(field, text);
    else rules.set(Number(rule), (rules.get(Number(rule)) ?? new Map<string, string>()).set(field, text));
  }
  return { policy, rules, rest: rest.length === 0 ? null : sentence(rest.join("; "), error.hint) };
}

/** The form field of a path. Elements such as groups and windows belong to the field that holds them. */
function fieldOf(written: string): string {
  const [first = "", second] = written.split(".");
  return first === "ssh" && second ? `ssh.${second}` : first;
}

function sentence(text: string, hint: string | null): string {
  const start = text.slice(0, 1).toUpperCase() + text.slice(1);
  return hint === null ? `${start}.` : `${start}. ${hint}`;
}
