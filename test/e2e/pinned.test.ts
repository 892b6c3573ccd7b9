/** A machine told whom to trust: it fetches the provider's keys itself and takes nobody else's word. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { EXTERNAL_USERS, type ExternalIdp, startExternalIdp } from "../support/external-idp.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

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
