import { expect, test } from "bun:test";
import { type PersonClaims, personClaims } from "../../src/identity/person-claims.ts";

test.each<[what: string, payload: Record<string, unknown>, want: PersonClaims]>([
  ["name and e-mail", { name: "Ada", email: "a@example.com" }, { name: "Ada", email: "a@example.com" }],
  ["the parts of a name", { given_name: "Ada", family_name: "Byron" }, { name: "Ada Byron" }],
  ["one part of a name", { family_name: "Byron" }, { name: "Byron" }],
  ["what Entra ID and Keycloak call a user", { preferred_username: "ada" }, { name: "ada" }],
  ["what GitLab and Auth0 call one", { nickname: "ada" }, { name: "ada" }],
  ["the name before all others", { nickname: "a", name: "Ada", preferred_username: "b" }, { name: "Ada" }],
  ["nothing", { sub: "1" }, {}],
  ["what is no text", { name: ["Ada"], email: 7 }, {}],
  ["empty and endless text", { name: "", email: "e".repeat(255) }, {}],
])("personClaims takes %s", (_what, payload, want) => {
  expect(personClaims(payload)).toEqual(want);
});
