import { expect, test } from "bun:test";
import { ApiError } from "../../../src/dashboard/api/client.ts";
import { nameProblem, problemAt } from "../../../src/dashboard/components/problem-at.ts";

const refusal = (message: string, status = 422) =>
  new ApiError(message, { status, code: "ERR_UNPROCESSABLE", hint: null, requestId: null });

test.each<[message: string, field: string, problem: string | null]>([
  ["Name is empty.", "name", "Is empty."],
  ["Usage_limit of a one-off key is 1.", "usage_limit", "Of a one-off key is 1."],
  ["Role is missing; expires_in must be at least 1.", "expires_in", "Must be at least 1."],
  [
    "Checks.nb_version_check.min_version is not a version (1.2.3).",
    "nb_version_check.min_version",
    "Is not a version (1.2.3).",
  ],
  [
    "Checks.peer_network_range_check.ranges[2] is not valid.",
    "peer_network_range_check.ranges",
    "Is not valid.",
  ],
  ["Old_password: it is wrong.", "old_password", "It is wrong."],
  // Another field that only ends like it.
  ["Hostname is empty.", "name", null],
  ["Nobody changes their own role.", "role", null],
])("%p says of %s: %p", (message, field, problem) => {
  expect(problemAt(refusal(message), field)).toBe(problem);
});

test("only a refusal of what was written is about a field", () => {
  expect(problemAt(refusal("Name is empty.", 503), "name")).toBe(null);
  expect(problemAt(new Error("name is empty"), "name")).toBe(null);
  expect(problemAt(null, "name")).toBe(null);
});

test.each<[message: string, isOfName: boolean]>([
  ["There is a group On call already.", true],
  ["Name is longer than 256 characters.", true],
  ["The account would have no owner left.", false],
])("%p is a problem of the name: %p", (message, isOfName) => {
  expect(nameProblem(refusal(message, 409)) !== null).toBe(isOfName);
});
