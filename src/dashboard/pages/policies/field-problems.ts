/**
 * The API's refusal of a policy file, told apart by the field that each fault is about.
 *
 * @module
 */
import { ApiError } from "../../api/client.ts";

export interface FieldProblems {
  /** Of a field of the policy, such as `name`. */
  readonly policy: ReadonlyMap<string, string>;
  /** Of a field of a rule by its number, such as `sources` or `ssh.env`. Empty name: of the rule itself. */
  readonly rules: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** What is about neither. */
  readonly rest: string | null;
}

const NONE: FieldProblems = { policy: new Map(), rules: new Map(), rest: null };
const PREFIX = /^the policy file: /i;
const PLACE = new RegExp(
  String.raw`^(?:unknown field .* in )?policies\[(\d+)\](?:\.rules\[(\d+)\])?` +
    String.raw`\.?([a-z_.]*)(?:\[[^\]]*\]|\.\S*)*\s*(.*)$`,
  "su",
);

/** `place`: number of the edited policy in the file that was sent. */
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

/** Groups, windows and the like are parts of one field of the form. */
function fieldOf(written: string): string {
  const [first = "", second] = written.split(".");
  return first === "ssh" && second ? `ssh.${second}` : first;
}

function sentence(text: string, hint: string | null): string {
  const start = text.slice(0, 1).toUpperCase() + text.slice(1);
  return hint === null ? `${start}.` : `${start}. ${hint}`;
}
