import { expect, test } from "bun:test";
import { ApiError } from "../../../../src/dashboard/api/client.ts";
import { problemsOf } from "../../../../src/dashboard/pages/policies/field-problems.ts";

const refusal = (message: string, status = 422) =>
  new ApiError(message, { status, code: "ERR_UNPROCESSABLE", hint: null, requestId: null });
const fieldsOf = (message: string, status?: number) => {
  const { policy, rules, rest } = problemsOf(refusal(message, status), 1);
  return {
    policy: [...policy.keys()],
    rules: [...rules].flatMap(([number, fields]) => [...fields.keys()].map((field) => `${number} ${field}`)),
    rest: rest !== null,
  };
};

test.each<[message: string, fields: object]>([
  ["policies[1].name is empty", { policy: ["name"] }],
  ['policies[1].rules[0].sources names an unknown group, "Devs"', { rules: ["0 sources"] }],
  ["policies[1].rules[2].ssh.env[1] is not in force", { rules: ["2 ssh.env"] }],
  [
    "policies[1].rules[0].authorized_groups.Developers is empty: name the OS users",
    { rules: ["0 authorized_groups"] },
  ],
  ["policies[1].rules[0].authorized_groups.devs is empty", { rules: ["0 authorized_groups"] }],
  ["policies[1].rules[0].schedule.windows[0] ends before it starts", { rules: ["0 schedule"] }],
  ["policies[1].rules[3] has neither sources nor source_peer", { rules: ["3 "] }],
  ["policies[0].name is empty", { rest: true }],
  ["tests[0] names an unknown person", { rest: true }],
  [
    "policies[1].name is empty; policies[1].rules[0].valid_until is not after valid_from",
    { policy: ["name"], rules: ["0 valid_until"] },
  ],
])("%j is told at its field", (message, fields) => {
  expect(fieldsOf(`The policy file: ${message}.`)).toEqual({ policy: [], rules: [], rest: false, ...fields });
});

test("what is no refusal of the file is told at no field", () => {
  expect(fieldsOf("The policy file: policies[1].name is empty.", 500)).toEqual({
    policy: [],
    rules: [],
    rest: false,
  });
});
