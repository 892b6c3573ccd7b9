/**
 * The filters of `qf audit list` and `qf audit tail`: options, their help, and the query that they make.
 * Management searches.
 *
 * @module
 */
import { parseWhen } from "./when.ts";

export const FILTER_ARGS = {
  user: { type: "string" },
  machine: { type: "string" },
  activity: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  receipt: { type: "string" },
} as const;

export const FILTER_OPTIONS = `\
  --user USER              only what this person did: an e-mail address, a name or an id
  --machine PEER           only what this machine or device saw, or what happened to it: a name or an id
  --activity CODE          only this activity; CODE.* takes all that begin so, such as ssh.*
  --since TIME             only what happened from then on: a time, a date, or how long ago (2h, 7d)
  --until TIME             only what happened before
  --receipt ID             only the refusal with this receipt`;

export type GivenFilter = { readonly [name in keyof typeof FILTER_ARGS]?: string | undefined };

/** The filters as a query. Throws ERR_USAGE for a time that is none. */
export function filterQuery(given: GivenFilter): URLSearchParams {
  const { user, machine, activity, receipt } = given;
  const since = parseWhen("since", given.since);
  const until = parseWhen("until", given.until);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ user, machine, activity, receipt, since, until })) {
    if (value !== undefined) query.set(name, value);
  }
  return query;
}
