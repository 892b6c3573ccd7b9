/**
 * Nothing that a server says becomes an option, or a program, of ours: management, a machine and a provider
 * may all be hostile, and what they send is at most one operand of a program that we chose.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { browserCommand } from "../../src/client/browser.ts";
import { parseDialledName } from "../../src/client/peer-name.ts";
import { TargetInfo } from "../../src/wire/client-api.ts";
import { ClientConfig } from "../../src/wire/client-config.ts";
import { HostedLoginResponse } from "../../src/wire/hosted-login-api.ts";
import { HttpUrl } from "../../src/wire/units.ts";
import { HOSTILE_NAMES } from "../support/hostile-names.ts";
import { readSources } from "../tidy/source-tree.ts";

/** Beginnings of options, expansions and commands, and what tears one word into two. */
const HOSTILE = [
  ...HOSTILE_NAMES,
  ...["-oProxyCommand=id", "--help", "-", "--", "-W", "@/etc/passwd", "$(id)", "`id`", ";id", "|id", "&&id"],
  ...[
    "https://x -oProxyCommand=id",
    "https://x\n-o",
    "https://x\0-o",
    "javascript:alert(1)",
    "file:///etc/passwd",
  ],
  ...["data:text/html,x", "http:", "http://", "https:///x", " https://x", "https://x ", "HTTPS://x\t"],
];

describe("every place of qf that starts a program", () => {
  /** What of it may come from elsewhere, and why that is no option. Those of sessions are in `agent/os`. */
  const PLACES: Readonly<Record<string, string>> = {
    "src/agent/lifecycle/login-path.ts": "our own words",
    "src/agent/lifecycle/spawn-detached.ts": "our own words, and flags of the local command line",
    "src/agent/lifecycle/start-ordered.ts":
      "our own words, an id and a version in their forms, and the server that the machine enrolled at",
    "src/agent/service/run-tool.ts": "our own words",
    "src/agent/upgrade/replace-executable.ts": "a file that the publisher signed, and our own words",
    "src/agent/upgrade/restart-agent.ts": "our own words, and a folder of the local command line",
    "src/base/own-user.ts": "our own words",
    "src/base/platform/windows-ownership.ts": "our own words, and a path of the local command line",
    "src/cli/password-input.ts": "our own words",
    "src/client/browser.ts": "one URL, which begins with http",
    "src/proxy/host-key-carrier.ts": "public keys in base64, none of which begins with -",
    "src/proxy/keys/key-cleanup.ts": "a name that has the form of names, and a number",
    "src/proxy/relay-carrier.ts": "our own words; what management said is in the environment",
    "src/proxy/ssh-config/effective.ts": "one name behind --",
  };
  const STARTS = /\bBun\.spawn(?:Sync)?\(|from "node:child_process"|\bexecFile\(|\bBun\.\$/;

  test("is known here, with what it is given", () => {
    const found = readSources("src")
      .filter(({ path, text }) => !path.startsWith("src/agent/os/") && STARTS.test(text))
      .map(({ path }) => path);
    expect(found).toEqual(Object.keys(PLACES).sort());
  });

  test("starts a program by its arguments, never by a line for a shell", () => {
    const shells = readSources("src").filter(
      ({ path, text }) =>
        // What runs in a page starts no program; a shell there is SSH's word for a session. Completions name
        // the shells that they are for.
        !/^src\/(?:agent\/os|browser-ssh|dashboard|cli\/completion)\//.test(path) &&
        /shell:\s*true|\["(?:sh|bash|\/bin\/sh)"|\bexec\(\s*`/.test(text),
    );
    expect(shells.map(({ path }) => path)).toEqual([]);
  });
});

describe("an address that management wants to be opened", () => {
  test.each([...HOSTILE])("%p is none, or begins with http and is one word", (text) => {
    const parsed = HttpUrl.safeParse(text);
    if (!parsed.success) return;
    expect(parsed.data).toMatch(/^https?:\/\/[^\s\0]+$/i);
    expect(browserCommand(parsed.data, {}, "linux")).toEqual(["xdg-open", parsed.data]);
  });

  test("is one operand, whatever it holds and whatever BROWSER is", () => {
    const browsers = fc.constantFrom(
      undefined,
      "firefox",
      "env -C / browser",
      "firefox --new-window %s",
      "x %s %s",
    );
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), browsers, (url, browser) => {
        const environment = browser === undefined ? {} : { BROWSER: browser };
        const words = browserCommand(url, environment, "linux");
        const own = (browser ?? "xdg-open").split(" ").map((word) => word.replaceAll("%s", url));
        expect(words).toEqual(browser?.includes("%s") === true ? own : [...own, url]);
      }),
    );
  });

  test.each([...HOSTILE])("of a hosted sign-in is refused where it is %p and no address", (url) => {
    const answer = {
      ...{ id: "a".repeat(20), pollSecret: "x".repeat(43), confirmation: "code", expiresAtSeconds: 1 },
      url,
    };
    const parsed = HostedLoginResponse.safeParse(answer);
    expect(parsed.success).toBe(HttpUrl.safeParse(url).success);
  });
});

describe("a name that a server gives", () => {
  test.each([...HOSTILE])("%p of a target is refused, or a plain name", (name) => {
    const target = {
      ...{ peerId: "a".repeat(20), name, address: "100.64.0.9", hostKeys: [], direct: [] },
      ...{ connected: true, sshServer: true, machineIdentity: false },
    };
    const parsed = TargetInfo.safeParse(target);
    if (parsed.success) expect(parsed.data.name).toMatch(/^[a-z0-9][a-z0-9.-]*$/i);
  });

  test.each([...HOSTILE])("%p is no name that ssh would be asked about", (name) => {
    const parsed = parseDialledName(name);
    if (parsed !== undefined) expect(parsed).toMatch(/^[a-z0-9][a-z0-9.:-]*$/i);
  });

  test.each(["domain", "origin"] as const)("as %s of the configuration is a plain one", (field) => {
    for (const text of HOSTILE) {
      const parsed = ClientConfig.safeParse({ ...someConfig(), [field]: text });
      if (!parsed.success) continue;
      expect(String(parsed.data[field])).toMatch(/^(?:https?:\/\/)?[a-z0-9][^\s\0]*$/i);
    }
    expect(ClientConfig.safeParse(someConfig()).success).toBe(true);
  });
});

function someConfig() {
  return {
    ...{ protocolVersion: 1, accountId: "a".repeat(20), loginSecondsMax: 43_200, loginConfirmation: "code" },
    ...{ origin: "https://qf.example.com", domain: "qf.internal" },
    oidc: {
      ...{ issuer: "https://idp.example.com", clientId: "qf", scope: "openid", loopback: true },
      ...{ redirectPort: 0, loopbackHost: "127.0.0.1", promptLogin: true },
    },
  };
}
