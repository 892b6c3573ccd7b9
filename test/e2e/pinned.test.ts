/** A machine told whom to trust: it fetches the provider's keys itself and takes nobody else's word. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { systemClock } from "../../src/base/clock.ts";
import { openClientFolder } from "../../src/client/client-folder.ts";
import { createLoginCache } from "../../src/client/login-cache.ts";
import { openChromium, openContext } from "../support/chromium.ts";
import { EXTERNAL_USERS, type ExternalIdp, startExternalIdp } from "../support/external-idp.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { openSignedClient } from "../support/signed-client.ts";
import { shows, signInForTerminal } from "../support/terminal-page.ts";

const [grace] = EXTERNAL_USERS;
/** Of `qf` itself, and of management's pages. */
const [CLI, WEB] = ["corp-qufabric", "corp-web"];

describe.skipIf(!isRoot)("a pinned machine", () => {
  let idp: ExternalIdp;
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;
  let servers: string;

  beforeAll(async () => {
    idp = await startExternalIdp();
    const clients = ["--oidc-client-id", CLI, "--oidc-web-client-id", WEB];
    const pins = ["--require-idp-binding", "--pin-issuer", idp.issuer, "--pin-audience", CLI];
    setUp = await openSetUp({
      serveArgs: ["--oidc-issuer", idp.issuer, ...clients],
      accounts: [["pin"]],
      people: {},
      machines: { web1: pins },
      devices: {},
    });
    const { devs } = setUp;
    ({ lab, account, servers, agent } = setUp);
    device = lab.device(grace, "laptop");
    await device.login();
    const [user] = (await lab.api<{ id: string; role: string }[]>("GET", "/api/users")).filter(
      ({ role }) => role === "user",
    );
    await lab.api("PUT", `/api/users/${user?.id}`, { role: "user", auto_groups: [devs], is_blocked: false });
    await lab.until("access", async () => (await attempt()).stdout === "in\n");
  }, 120_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
    await idp?.stop();
  });

  const attempt = (from = device) => from.ssh([`${account.name}@web1`, "echo", "in"]);
  const OTHER_CLIENT = "takes no sign-in by this client of the identity provider";
  const WANTS_OWN = "a login that its own identity provider has signed";

  test("takes logins of its issuer and audience, and no others", async () => {
    await agent.up(["--pin-audience", "another-client"]);
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });
    await agent.up(["--pin-audience", CLI, "--pin-issuer", "http://127.0.0.1:9/idp"]);
    const other = await attempt();
    expect(other).toMatchObject({ exitCode: 255, stdout: "" });
    expect(other.stderr).toContain(WANTS_OWN);
    await agent.up(["--pin-issuer", idp.issuer]);
    expect((await attempt()).stdout).toBe("in\n");
  });

  test("takes nothing whose nonce a server has chosen, unless root says so by name", async () => {
    const hosted = lab.device(grace, "hosted");
    const terminal = hosted.terminal(["login", "--no-browser", "--ssh-jwt-cache-ttl", "3600"]);
    const [url = ""] = await terminal.expect(/http:\S+\/login\/hosted\/\S+/);
    await terminal.expect(/One-time code: /);
    terminal.type(`${(await hosted.approve(url)).code}\r`);
    expect(await terminal.end()).toBe(0);
    const refused = await attempt(hosted);
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    // As it would be in a page: management has run the sign-in.
    expect(refused.stderr).toContain(OTHER_CLIENT);
    // The very same person by their own browser.
    expect((await attempt()).stdout).toBe("in\n");
    const both = await agent.tryUp(["--pin-audience", CLI, "--pin-audience", WEB]);
    expect(both.stderr).toContain("also takes sign-ins on management's pages");
    expect((await attempt(hosted)).stdout).toBe("in\n");
    await agent.up(["--pin-audience", CLI]);
    expect(await attempt(hosted)).toMatchObject({ exitCode: 255, stdout: "" });
  });

  test("refuses management's own key as the nonce of a sign-in to the dashboard", async () => {
    // A dishonest management sends the person to the provider with its own key as nonce; it gets the token.
    const thief = lab.device(grace, "thief");
    const folder = await openClientFolder(thief.env(), systemClock);
    const client = await openSignedClient(lab.url, { deviceKey: await folder.deviceKey() });
    const proof = await client.signIn(grace, { client_id: WEB });
    const { binding, user, loginId, peerId, loginUntilSeconds } = await client.register(proof);
    const { accountId, origin } = client.scope;
    await createLoginCache({ clock: systemClock, path: folder.loginsPath, agentBootId: undefined }).write({
      ...{ format: 1, origin, accountId, seed: client.loginKey.seed, loginId, binding, user },
      ...{ devicePeerId: peerId, untilSeconds: loginUntilSeconds },
      ...(proof.kind === "id_token" ? { idToken: proof.idToken } : {}),
    });
    const refused = await attempt(thief);
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toContain(OTHER_CLIENT);
    // Nothing else is wrong with it: root's word for the client of the pages is all that it lacks.
    await agent.up(["--pin-audience", CLI, "--pin-audience", WEB]);
    expect((await attempt(thief)).stdout).toBe("in\n");
    await agent.up(["--pin-audience", CLI]);
    expect(await attempt(thief)).toMatchObject({ exitCode: 255, stdout: "" });
  }, 120_000);

  test("refuses a terminal in a page by its own sentence, and takes it by a second audience", async () => {
    const browser = await openChromium();
    try {
      const page = await (await openContext(browser)).newPage();
      await page.goto(`${lab.url}/terminal/web1?as=${account.name}`);
      await page.getByRole("link", { name: "Sign in to the dashboard" }).click();
      await signInThere(page);
      await signInForTerminal(page, signInThere);
      await page.getByRole("alert").getByText(OTHER_CLIENT).waitFor();
      await agent.up(["--pin-audience", CLI, "--pin-audience", WEB]);
      await page.getByRole("button", { name: "Connect again" }).click();
      await signInForTerminal(page, signInThere);
      await shows(page, "$");
    } finally {
      await browser.close();
      await agent.up(["--pin-audience", CLI]);
    }
  }, 180_000);

  test("takes no word of management for a service user", async () => {
    const group = await lab.createGroup("Robots");
    const robot = { name: "robot", role: "user", auto_groups: [group], is_service_user: true };
    const { id } = await lab.api<{ id: string }>("POST", "/api/users", robot);
    const body = { name: "ssh", expires_in: 1, scope: "ssh" };
    const made = await lab.api<{ plain_token: string }>("POST", `/api/users/${id}/tokens`, body);
    const rule = { authorized_groups: { [group]: [account.name] } };
    await lab.createPolicy("robots", [group], [servers], rule);
    const machine = lab.device(grace, "ci");
    const env = { QF_TOKEN: made.plain_token };
    const refused = await machine.ssh([`${account.name}@web1`, "echo", "in"], { env });
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toContain(WANTS_OWN);
    await agent.up(["--require-idp-binding=false"]);
    expect((await machine.ssh([`${account.name}@web1`, "echo", "in"], { env })).stdout).toBe("in\n");
    await agent.up(["--require-idp-binding"]);
  });

  test("is not made where management's pages use the pinned client, or management is the issuer", async () => {
    await agent.up(["--require-idp-binding=false"]);
    for (const [args, says] of [
      [["--pin-audience", WEB], "management's own pages sign in with the pinned audience"],
      [["--pin-issuer", `${lab.url}/idp`], "does not hold against the embedded provider"],
    ] as const) {
      const refused = await agent.tryUp(["--require-idp-binding", ...args]);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(says) });
    }
    // Nothing of what was refused is in force.
    await agent.up(["--require-idp-binding"]);
    expect((await attempt()).stdout).toBe("in\n");
  });
});

/** Fills the form of somebody else's provider. */
async function signInThere(page: Page): Promise<void> {
  await page.locator('[name="email"]').fill(grace.email);
  await page.locator('[name="password"]').fill(grace.password);
  await page.getByRole("button", { name: "Go" }).click();
}
