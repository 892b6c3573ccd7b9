/** The executable with an external provider: what it prints for it, and what a terminal says of a failure. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { DoctorReport } from "../../src/wire/finding.ts";
import { createBrowser } from "../support/browser.ts";
import { type Lab, openLab } from "../support/lab.ts";
import { startProvider, type TestProvider } from "../support/provider.ts";
import { PUBLIC_CLIENT } from "../support/provider-setup.ts";

let provider: TestProvider;
let lab: Lab;
beforeAll(async () => {
  provider = await startProvider();
  lab = await openLab({
    serveArgs: ["--oidc-issuer", provider.issuer, "--oidc-client-id", PUBLIC_CLIENT.id],
  });
}, 60_000);
beforeEach(async () => {
  await provider.reset();
  await provider.change({ redirectUris: [`${lab.url}/login/callback`, "http://127.0.0.1/callback"] });
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await provider.stop();
});

const grace = { id: "", email: "grace@corp.example", password: "" };

/** A terminal that waits for its one-time code, and the page of its sign-in. */
async function waiting(name: string) {
  const terminal = lab.device(grace, name).terminal(["login", "--no-browser"], { BROWSER: "" });
  const url = (await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "";
  await terminal.expect(/One-time code: /);
  const browser = createBrowser();
  return { terminal, browser, page: await browser.open(url) };
}

test("serve prints the redirect URIs, and doctor on that host finds the provider well", async () => {
  const uris = [`${lab.url}/login/callback`, "http://127.0.0.1/callback"];
  for (const uri of uris) expect(lab.managementLog()).toContain(`\n${uri}  (`);
  const device = lab.device(grace, "doctor");
  const report = await device.qf(["doctor", "--json", "--data-dir", lab.dataDir]);
  const { findings }: DoctorReport = JSON.parse(report.stdout);
  const found = findings.filter(({ area }) => area === "provider");
  expect(found.map(({ status, code }) => `${status} ${code}`)).toEqual([
    "ok provider.discovery",
    "ok provider.keys",
    "ok provider.client",
    "ok provider.redirect",
    "ok provider.redirect",
  ]);
});

test("a sign-in that fails at the provider ends the terminal at once, in the words of the page", async () => {
  await provider.change({ clients: [{ ...PUBLIC_CLIENT, auth: ["client_secret_basic"] }] });
  const { terminal, browser, page } = await waiting("failed");
  const last = await browser.submit(page, {}, "confirm");
  const sentence = "the identity provider does not accept management's client credentials (invalid_client)";
  expect(last.text).toContain(sentence.slice(1).replace("'", "&#39;"));
  expect(await terminal.end()).toBe(1);
  expect(terminal.text.replace(/\r?\n/g, "\n")).toContain(`\nqf: error: ${sentence}\nqf: hint: `);
  const line =
    lab
      .managementLog()
      .split("\n")
      .find((text) => text.includes('"sign-in failed"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ endpoint: "token", providerError: "invalid_client" });
});

test("Deny on the page ends the terminal at once, and so does a no at the provider", async () => {
  const first = await waiting("denied");
  expect((await first.browser.submit(first.page, {}, "deny")).text).toContain("Nobody was signed in");
  expect(await first.terminal.end()).toBe(1);
  expect(first.terminal.text).toContain("qf: error: the sign-in was refused");
  const error_description = "User is not assigned to the client application.";
  await provider.change({ authorizationError: { error: "access_denied", error_description } });
  const second = await waiting("not-assigned");
  await second.browser.submit(second.page, {}, "confirm");
  expect(await second.terminal.end()).toBe(1);
  expect(second.terminal.text).toContain(error_description);
});
