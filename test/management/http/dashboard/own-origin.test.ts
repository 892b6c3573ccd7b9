/** Two hosts, one for pages with script, one for pages that sign people in: neither answers for the other. */
import { describe, expect, test } from "bun:test";
import { answersByHost } from "../../../../src/management/http/dashboard/own-origin.ts";

const PUBLIC = "https://qf.example.com";
const DASHBOARD = "https://admin.example.com";

/** Whether the public host answers it, and whether that of the dashboard does. */
function answered(path: string): [boolean | undefined, boolean | undefined] {
  const answers = answersByHost(PUBLIC, DASHBOARD);
  const at = (origin: string) => answers?.(new URL(origin).host, new URL(path, origin));
  return [at(PUBLIC), at(DASHBOARD)];
}

describe("pages that sign people in, and what machines use, are the public host's alone", () => {
  test.each([
    "/idp/auth?prompt=none",
    "/idp/password/secret",
    "/login/hosted/abc",
    "/login/callback?state=hosted.x",
    "/setup/secret",
    "/agent/v1/sync",
    "/relay/agent",
    "/install.sh",
    "/idpx",
    "/loginx",
  ])("%s", (path) => expect(answered(path)).toEqual([true, false]));
});

describe("the dashboard, its sign-in and its sockets are its own host's alone", () => {
  test.each([
    "/login/dashboard",
    "/login/dashboard?to=/machines",
    "/login/callback?state=dashboard.x",
    "/assets/main-1.js",
    "/relay/terminal",
  ])("%s", (path) => expect(answered(path)).toEqual([false, true]));
});

describe("the API, and the client API that a terminal uses, are at both; the cookie counts at one", () => {
  test.each(["/", "/machines", "/api/peers", "/client/v1/config", "/healthz"])("%s", (path) =>
    expect(answered(path)).toEqual([true, true]),
  );
});

test.each(["/docs", "/docs/providers/okta"])("%s, to which pages of both lead, is at both", (path) =>
  expect(answered(path)).toEqual([true, true]),
);

test("a name that only begins like a path is not below it", () => {
  expect(answered("/apix")).toEqual([true, false]);
  expect(answered("/assetsx")).toEqual([true, false]);
  expect(answered("/docsx")).toEqual([true, false]);
});

test("with one origin everything is answered", () => {
  expect(answersByHost(PUBLIC, PUBLIC)).toBeUndefined();
});
