import { expect, test } from "bun:test";
import { checkPins, pinnedAudiences } from "../../../src/agent/lifecycle/pins.ts";
import { isQfError, QfError } from "../../../src/base/errors.ts";

const ISSUER = "https://idp.example.com";
const flags = {
  managementUrl: "https://qf.example.com",
  requireIdpBinding: true,
  pinIssuer: ISSUER,
  pinAudience: "qf-cli",
  offlineLogins: false,
};
const oidc = {
  issuer: ISSUER,
  clientId: "qf-cli",
  webClientId: "qf-web",
  scope: "openid",
  loopback: true,
  promptLogin: true,
};

async function check(change: Partial<typeof flags>, told: object | QfError = {}) {
  const warned: string[] = [];
  const askConfig = async () => {
    if (told instanceof QfError) throw told;
    return { oidc: { ...oidc, ...told } };
  };
  const outcome = await checkPins({ ...flags, ...change }, askConfig, (text) => warned.push(text)).then(
    () => "taken",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
  return { outcome, warned: warned.length };
}

test.each<
  [name: string, change: Partial<typeof flags>, told: object | QfError, want: string, warned: number]
>([
  ["the client of qf alone", {}, {}, "taken", 0],
  ["no binding at all", { requireIdpBinding: false, pinAudience: "qf-web" }, {}, "taken", 0],
  ["one client for both", {}, { webClientId: undefined }, "ERR_USAGE", 0],
  ["one client for both, said twice", {}, { webClientId: "qf-cli" }, "ERR_USAGE", 0],
  ["one audience of both clients", { pinAudience: "project" }, { audience: "project" }, "ERR_USAGE", 0],
  ["the client of the pages alone", { pinAudience: "qf-web" }, {}, "ERR_USAGE", 0],
  ["both clients", { pinAudience: "qf-cli,qf-web" }, {}, "taken", 1],
  ["the embedded provider", { pinIssuer: "https://qf.example.com/idp" }, {}, "ERR_USAGE", 0],
  ["another provider than management's", { pinIssuer: "https://other.example.com" }, {}, "taken", 0],
  ["a management that is away", {}, new QfError("ERR_UNAVAILABLE", "away"), "taken", 1],
  ["a management that makes no sense", {}, new QfError("ERR_BAD_REQUEST", "no"), "ERR_BAD_REQUEST", 0],
  [
    "the embedded provider of a management that is away",
    { pinIssuer: "https://qf.example.com/idp" },
    new QfError("ERR_UNAVAILABLE", "away"),
    "ERR_USAGE",
    0,
  ],
])("checkPins of %s", async (_name, change, told, outcome, warned) => {
  expect(await check(change, told)).toEqual({ outcome, warned });
});

test("pinnedAudiences reads what --pin-audience stores", () => {
  expect([pinnedAudiences(null), pinnedAudiences("a"), pinnedAudiences("a,b")]).toEqual([
    [],
    ["a"],
    ["a", "b"],
  ]);
});
