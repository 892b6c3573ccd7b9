import { expect, test } from "bun:test";
import { stepsOf, stepToShow } from "../../../../src/dashboard/pages/start/steps.ts";

type Known = Parameters<typeof stepsOf>[0];

const NEW: Known = {
  name: "",
  peers: [],
  users: [{ is_service_user: false }],
  policies: [],
  hasConnected: false,
};
const done = (known: Known): string[] => stepsOf(known).flatMap(({ id, isDone }) => (isDone ? [id] : []));

test.each<[title: string, change: Partial<Known>, also: string[]]>([
  ["a new account", {}, []],
  ["a name", { name: "Acme" }, ["name"]],
  ["a machine", { peers: [{ kind: "machine" }] }, ["machine"]],
  ["a device alone", { peers: [{ kind: "device" }] }, []],
  ["another person", { users: [{ is_service_user: false }, { is_service_user: false }] }, ["people"]],
  ["a service user alone", { users: [{ is_service_user: false }, { is_service_user: true }] }, []],
  ["a policy in force", { policies: [{ enabled: true }] }, ["policy"]],
  ["a policy that is off", { policies: [{ enabled: false }] }, []],
  ["a connection", { hasConnected: true }, ["login"]],
])("with %s what is done follows from it", (_, change, also) => {
  expect(done({ ...NEW, ...change }).filter((id) => id !== "sign-in")).toEqual(also);
});

test("the step that was asked for is shown, else the first that is not done", () => {
  const steps = stepsOf({ ...NEW, name: "Acme" });
  expect(stepToShow(steps, undefined)).toBe("machine");
  expect(stepToShow(steps, "policy")).toBe("policy");
});
