/** A machine told whom to trust: it fetches the provider's keys itself and takes nobody else's word. */
import { expect, test } from "bun:test";
import { openLab } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";

test.skipIf(!isRoot)(
  "a pinned machine takes logins of its issuer and audience, and no others",
  async () => {
    using account = new OsAccount("pin");
    await using lab = await openLab();
    const devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const person = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });
    const pins = ["--require-idp-binding", "--pin-issuer", lab.issuer, "--pin-audience", "qufabric-cli"];
    const agent = await lab.startAgent("web1", { groups: [servers], args: pins });
    const device = lab.device(person, "laptop");
    await device.login();
    const attempt = () => device.ssh([`${account.name}@web1`, "echo", "in"]);
    expect((await attempt()).stdout).toBe("in\n");

    await agent.up(["--pin-audience", "another-client"]);
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });
    await agent.up(["--pin-audience", "qufabric-cli", "--pin-issuer", "http://127.0.0.1:9/idp"]);
    const other = await attempt();
    expect(other).toMatchObject({ exitCode: 255, stdout: "" });
    expect(other.stderr).toContain("a login that its own identity provider has signed");
    await agent.up(["--pin-issuer", lab.issuer]);
    expect((await attempt()).stdout).toBe("in\n");

    // Management's own word, for a service user, is not enough there.
    const group = await lab.createGroup("Robots");
    const robot = { name: "robot", role: "user", auto_groups: [group], is_service_user: true };
    const { id } = await lab.api<{ id: string }>("POST", "/api/users", robot);
    const body = { name: "ssh", expires_in: 1, scope: "ssh" };
    const token = await lab.apiResponse("POST", `/api/users/${id}/tokens`, body);
    expect(token.status).toBeLessThan(300);
    const { plain_token } = (await token.json()) as { plain_token: string };
    await lab.createPolicy("robots", [group], [servers], { authorized_groups: { [group]: [account.name] } });
    const machine = lab.device(person, "ci");
    const env = { QF_TOKEN: plain_token };
    const refused = await machine.ssh([`${account.name}@web1`, "echo", "in"], { env });
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toContain("a login that its own identity provider has signed");
    await agent.up(["--require-idp-binding=false"]);
    expect((await machine.ssh([`${account.name}@web1`, "echo", "in"], { env })).stdout).toBe("in\n");
  },
  90_000,
);
