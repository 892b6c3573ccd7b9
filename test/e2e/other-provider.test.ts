/** Any OIDC provider can take the embedded one's place: a second process, other keys, other subjects. */
import { expect, test } from "bun:test";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { EXTERNAL_USERS, startExternalIdp } from "../support/external-idp.ts";
import { openLab, policyBody } from "../support/lab.ts";
import { isRoot, ownName } from "../support/os-accounts.ts";

test("people of another provider sign in, are nobody at first, and are known by issuer and subject", async () => {
  const idp = await startExternalIdp();
  const [grace, alan] = EXTERNAL_USERS;
  try {
    await using lab = await openLab({
      serveArgs: ["--oidc-issuer", idp.issuer, "--oidc-client-id", idp.clientId],
    });
    const own = ownName();
    const servers = await lab.createGroup("Servers");
    const root = isRoot ? ["--enable-ssh-root"] : [];
    await lab.startAgent("web1", { groups: [servers], args: root });
    const device = lab.device(grace, "grace");
    await device.login();

    const before = await device.ssh([`${own}@web1`, "echo", "in"]);
    expect(before).toMatchObject({ exitCode: 255, stdout: "" });
    expect(before.stderr).toContain(sentenceOf("peer_not_authorized").sentence);

    const users = await lab.api<{ id: string; name: string; auto_groups: string[]; role: string }[]>(
      "GET",
      "/api/users",
    );
    const user = users.find((one) => one.name === "Grace Hopper");
    expect(user).toMatchObject({ auto_groups: [], role: "user" });

    const devs = await lab.createGroup("Developers");
    await lab.api("PUT", `/api/users/${user?.id}`, { role: "user", auto_groups: [devs], is_blocked: false });
    await lab.api(
      "POST",
      "/api/policies",
      policyBody("devs", [devs], [servers], { authorized_groups: { [devs]: [own] } }),
    );
    await lab.until(
      "access",
      async () => (await device.ssh([`${own}@web1`, "echo", "in"])).stdout === "in\n",
    );

    // Somebody else of the same provider, with a hostile display name, is somebody else.
    const other = lab.device(alan, "alan");
    const refused = await other.ssh([`${own}@web1`, "echo", "in"]);
    expect(refused.exitCode).toBe(255);
    const all = await lab.api<{ name: string; role: string }[]>("GET", "/api/users");
    expect(all.find(({ name }) => name === "Alan <b>Turing</b>")).toMatchObject({ role: "user" });
  } finally {
    await idp.stop();
  }
}, 90_000);

test("with a confidential client the hosted flow signs in, on a client without a secret", async () => {
  const idp = await startExternalIdp();
  const [grace] = EXTERNAL_USERS;
  try {
    await using lab = await openLab({ start: false });
    const secret = `${lab.root}/secret`;
    await Bun.write(secret, `${idp.clientSecret}\n`);
    await lab.initManagement();
    const client = ["--oidc-client-id", idp.confidentialClientId, "--oidc-client-secret-file", secret];
    await lab.serveManagement(["--oidc-issuer", idp.issuer, ...client]);
    const device = lab.device(grace, "grace");
    const terminal = device.terminal(["login", "--no-browser"], { BROWSER: "" });
    const url = (await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "";
    const visit = await device.approve(url);
    terminal.type(`${visit.code}\r`);
    expect(await terminal.end()).toBe(0);
  } finally {
    await idp.stop();
  }
}, 90_000);
