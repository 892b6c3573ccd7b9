/**
 * Management behind a reverse proxy: whose address counts, WebSockets, and what is said where they do not
 * pass.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../support/echo.ts";
import { type Lab, LabAgent, openLab } from "../support/lab.ts";
import { isRoot, ownName } from "../support/os-accounts.ts";
import { openReverseProxy, type ReverseProxy } from "../support/reverse-proxy.ts";

interface Peer {
  readonly name: string;
  readonly connection_ip: string;
}

describe("management behind a reverse proxy", () => {
  let lab: Lab;
  let proxy: ReverseProxy;
  beforeAll(async () => {
    proxy = await openReverseProxy();
    lab = await openLab({ start: false });
    await lab.initManagement();
    proxy.backend = await freePort();
    lab.url = `http://127.0.0.1:${proxy.backend}`;
    await lab.serveManagement(["--behind-proxy", "--public-url", proxy.url]);
    expect(lab.url).toBe(proxy.url);
  }, 60_000);
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    proxy?.close();
  });

  test("serves agents and people through it, and knows them by their own addresses", async () => {
    const people = await lab.createGroup("People");
    const machines = await lab.createGroup("Machines");
    const ada = await lab.createPerson("ada@example.com", [people]);
    await lab.createPolicy("p", [people], [machines], { authorized_groups: { [people]: [ownName()] } });
    const args = ["--listen", "none", ...(isRoot ? ["--enable-ssh-root"] : [])];
    await lab.startAgent("web1", { groups: [machines], args });
    // No port is open: this goes through the relay, and so through the proxy.
    const said = await lab.device(ada, "laptop").ssh([`${ownName()}@web1`, "echo through"]);
    expect(said.stderr).not.toContain("error");
    expect(said.stdout).toBe("through\n");
    const addresses = new Set((await lab.api<Peer[]>("GET", "/api/peers")).map((peer) => peer.connection_ip));
    expect([...addresses]).toEqual([proxy.sourceAddress]);
  }, 60_000);

  test("an agent behind one that passes no WebSockets on says so, and what mends it", async () => {
    proxy.passesWebSockets = false;
    try {
      const agent = new LabAgent(lab, "web2");
      const key = await lab.createSetupKey();
      const said = await agent.tryUp(["--management-url", lab.url, "--setup-key", key]);
      expect(said.exitCode).toBe(1);
      expect(said.stderr).toContain("a proxy in front of it does not pass WebSockets on (HTTP status 426)");
      expect(said.stderr).toContain("qf: hint: have that proxy pass the headers Upgrade and Connection on");
    } finally {
      proxy.passesWebSockets = true;
    }
  }, 90_000);
});
