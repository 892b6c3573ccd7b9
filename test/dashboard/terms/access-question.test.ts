import { expect, test } from "bun:test";
import { accessQuestionOf } from "../../../src/dashboard/terms/access-question.ts";

test.each([
  [
    { user: "ada", machine: "web1", as: "deploy", other: "x" },
    { user: "ada", machine: "web1", as: "deploy" },
  ],
  [{ user: "", machine: ["web1"], as: null }, {}],
  [{ user: "a".repeat(2_000) }, {}],
])("%j asks %j", (search, question) => expect(accessQuestionOf(search)).toEqual(question));
