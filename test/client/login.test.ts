import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import type { QfError } from "../../src/base/errors.ts";
import { browserCommand, hasBrowser } from "../../src/client/browser.ts";
import { createClientApi } from "../../src/client/client-api.ts";
import { environmentToken, type SignInOptions, serviceToken, signIn } from "../../src/client/login.ts";
import { loginNonce } from "../../src/client/loopback-login.ts";
import type { Terminal } from "../../src/client/terminal.ts";
import type { LoginProof } from "../../src/wire/client-api.ts";
import { type FakeManagement, startFakeManagement } from "../support/fake-management.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const fakes: FakeManagement[] = [];
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close();
});

function aFake(): FakeManagement {
  const fake = startFakeManagement();
  fakes.push(fake);
  return fake;
}

/** A person at a terminal: `onUrl` is told each URL; `answers` are typed in order. */
function aTerminal(onUrl: (url: string) => void = () => {}, answers: string[] | null = []) {
  const said: string[] = [];
  const terminal: Terminal = {
    say: (line) => {
      said.push(line);
      if (line.startsWith("http")) onUrl(line);
    },
    canAsk: () => answers !== null,
    ask: async (prompt, signal) => {
      said.push(prompt);
      const answer = answers?.shift();
      if (answer !== undefined) return answer;
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  };
  return { terminal, said };
}

/** A browser that does nothing is configured, so that the URL alone counts. */
const HERE = { BROWSER: "true" };

async function login(
  fake: FakeManagement,
  terminal: Terminal,
  change: Partial<SignInOptions> = {},
): Promise<LoginProof> {
  const api = createClientApi({ url: fake.url });
  return signIn({
    api,
    config: await api.config(),
    loginKey: generateEd25519(),
    deviceName: "laptop",
    fresh: false,
    environment: HERE,
    terminal,
    timeoutMs: 5_000,
    ...change,
  });
}

async function failureOf(work: Promise<unknown>): Promise<QfError> {
  return (await work.catch((reason: unknown) => reason)) as QfError;
}

function claimsOf(proof: LoginProof): Record<string, unknown> {
  if (proof.kind !== "id_token") throw new Error("no ID token");
  return JSON.parse(Buffer.from(proof.idToken.split(".")[1] ?? "", "base64url").toString());
}

test("a login in the browser gives an ID token whose nonce is the digest of the login key", async () => {
  const fake = aFake();
  const loginKey = generateEd25519();
  const { terminal, said } = aTerminal((url) => void fake.visit(url));
  const proof = await login(fake, terminal, { loginKey });
  expect(claimsOf(proof).nonce).toBe(loginNonce(loginKey));
  const [request] = fake.authorizations;
  expect(Object.fromEntries(request ?? [])).toMatchObject({
    response_type: "code",
    code_challenge_method: "S256",
    prompt: "login",
    scope: "openid",
  });
  expect(request?.has("max_age")).toBe(false);
  const pages = said.filter((line) => line.startsWith("http"));
  expect(pages).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/sign-in\/[\w-]{22}$/)]);
});

test("a fresh login asks with max_age=0, and prompt only when the account says so", async () => {
  const fake = aFake();
  fake.config.oidc.promptLogin = false;
  const { terminal } = aTerminal((url) => void fake.visit(url));
  await login(fake, terminal, { fresh: true });
  expect(fake.authorizations[0]?.get("max_age")).toBe("0");
  expect(fake.authorizations[0]?.has("prompt")).toBe(false);
});

test("nothing that the browser is started with names this sign-in at the provider", async () => {
  const fake = aFake();
  const folder = tempFolder();
  const script = join(folder, "browser");
  writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/argv\n`, { mode: 0o755 });
  const { terminal } = aTerminal((url) => void fake.visit(url));
  await login(fake, terminal, { environment: { BROWSER: script, PATH: "/usr/bin:/bin" } });
  const argvFile = join(folder, "argv");
  const argv = await until("the browser", () => existsSync(argvFile) && readFileSync(argvFile, "utf8"));
  expect(argv).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/sign-in\/[\w-]{22}\n$/);
  for (const name of ["state", "nonce", "code_challenge", "redirect_uri"]) {
    expect(argv).not.toContain(fake.authorizations[0]?.get(name) ?? "missing");
  }
});

test("a page tells the person that it is done", async () => {
  const fake = aFake();
  let page: Promise<Response> | undefined;
  const { terminal } = aTerminal((url) => {
    page = fake.visit(url);
  });
  await login(fake, terminal);
  const response = await page;
  expect(response?.status).toBe(200);
  expect(await response?.text()).toContain("Signed in");
  expect(response?.headers.get("cache-control")).toBe("no-store");
});

test.each<[what: string, claims: Record<string, unknown>, fresh: boolean]>([
  ["another nonce", { nonce: "somebody-elses" }, false],
  ["no nonce", { nonce: undefined }, false],
  ["another issuer", { iss: "https://evil.example.com" }, false],
  ["another audience", { aud: "other" }, false],
  ["a time that is over", { exp: 1_000_000, iat: 999_000 }, false],
  ["no subject", { sub: undefined }, false],
  ["an earlier sign-in where a fresh one was asked for", { auth_time: 1_000_000 }, true],
])("an ID token with %s is refused", async (_what, claims, fresh) => {
  const fake = aFake();
  Object.assign(fake.claims, claims);
  let page: Promise<Response> | undefined;
  const { terminal } = aTerminal((url) => {
    page = fake.visit(url);
  });
  expect((await failureOf(login(fake, terminal, { fresh }))).code).toBe("ERR_LOGIN_FAILED");
  expect((await page)?.status).toBe(400);
});

test("an ID token that the provider's keys have not signed is refused", async () => {
  const fake = aFake();
  fake.forge = true;
  const { terminal } = aTerminal((url) => void fake.visit(url));
  expect((await failureOf(login(fake, terminal))).code).toBe("ERR_LOGIN_FAILED");
});

test("a callback with another state, path or method changes nothing", async () => {
  const fake = aFake();
  const statuses: number[] = [];
  const { terminal } = aTerminal(async (url) => {
    const { cookie, authorization } = await fake.begin(url);
    const redirect = new URL(authorization.searchParams.get("redirect_uri") ?? "");
    const headers = { cookie };
    for (const path of ["/callback?code=x&state=guess", "/callback", "/", "/callback/x"]) {
      statuses.push((await fetch(new URL(path, redirect), { headers })).status);
    }
    statuses.push((await fetch(redirect, { method: "POST", headers })).status);
    const back = await fetch(authorization, { redirect: "manual" });
    await fetch(back.headers.get("location") ?? "", { headers });
  });
  expect((await login(fake, terminal)).kind).toBe("id_token");
  expect(statuses).toEqual([404, 404, 404, 404, 404]);
});

test("a refusal at the provider ends the login in one sentence", async () => {
  const fake = aFake();
  const { terminal } = aTerminal(async (url) => {
    const { cookie, authorization } = await fake.begin(url);
    const back = new URL(authorization.searchParams.get("redirect_uri") ?? "");
    back.searchParams.set("state", authorization.searchParams.get("state") ?? "");
    back.searchParams.set("error", "access_denied");
    await fetch(back, { headers: { cookie } });
  });
  const error = await failureOf(login(fake, terminal));
  expect(error.code).toBe("ERR_LOGIN_FAILED");
  expect(error.message).toBe("the sign-in was refused");
});

test.each(["vscode://evil/run", "file:///etc/passwd", "http://qf.example.com/auth", "javascript:alert(1)"])(
  "a provider whose page is at %s opens nothing here",
  async (authorization_endpoint) => {
    const fake = aFake();
    const { terminal, said } = aTerminal();
    const discovery = async (url: string | URL | Request, init?: RequestInit) => {
      const response = await fetch(url, init);
      const document = (await response.json()) as Record<string, unknown>;
      return Response.json({ ...document, authorization_endpoint });
    };
    const error = await failureOf(login(fake, terminal, { fetch: discovery as typeof fetch }));
    expect(error.code).toBe("ERR_UNAVAILABLE");
    expect(said).toEqual([]);
  },
);

test("the listener is on loopback and gone after the login", async () => {
  const fake = aFake();
  let redirect = "";
  const { terminal } = aTerminal((url) => {
    redirect = url;
    void fake.visit(url);
  });
  await login(fake, terminal);
  expect(new URL(redirect).hostname).toBe("127.0.0.1");
  await until("its end", () =>
    fetch(redirect).then(
      () => false,
      () => true,
    ),
  );
});

test("a fixed port that is taken is told", async () => {
  const fake = aFake();
  fake.config.oidc.redirectPort = Number(new URL(fake.url).port);
  expect((await failureOf(login(fake, aTerminal().terminal))).code).toBe("ERR_ADDRESS_IN_USE");
});

test("ten logins at once, each with its own state and port, do not disturb each other", async () => {
  const fake = aFake();
  const keys = Array.from({ length: 10 }, () => generateEd25519());
  const proofs = await Promise.all(
    keys.map((loginKey) => login(fake, aTerminal((url) => void fake.visit(url)).terminal, { loginKey })),
  );
  expect(proofs.map((proof) => claimsOf(proof).nonce)).toEqual(keys.map(loginNonce));
});

test("nobody coming back in time is told", async () => {
  const error = await failureOf(login(aFake(), aTerminal().terminal, { timeoutMs: 50 }));
  expect(error.code).toBe("ERR_TIMEOUT");
});

test("a hosted login prints its URL on a line of its own and takes the code back", async () => {
  const fake = aFake();
  fake.code = "ABCD-EFGH";
  const { terminal, said } = aTerminal(undefined, ["wrong", "", "ABCD-EFGH"]);
  const proof = await login(fake, terminal, { noBrowser: true, target: "web1", localUser: "deploy" });
  expect(proof.kind).toBe("claimed");
  expect(said.filter((line) => /^http\S+$/.test(line))).toHaveLength(1);
  expect(said.join("\n")).toContain("That is not the code; 2 more tries.");
  expect(fake.hosted).toMatchObject([
    { deviceName: "laptop", target: "web1", localUser: "deploy", fresh: false },
  ]);
});

test("a hosted login without a terminal is refused with a hint, but polls where a click confirms", async () => {
  const fake = aFake();
  fake.code = "ABCD-EFGH";
  const nobody = aTerminal(undefined, null).terminal;
  const error = await failureOf(login(fake, nobody, { noBrowser: true }));
  expect(error.code).toBe("ERR_LOGIN_REQUIRED");
  fake.config.confirmation = "click";
  expect((await login(fake, nobody, { noBrowser: true })).kind).toBe("claimed");
});

test("a hosted login that is refused ends, and one that nobody confirms times out", async () => {
  const fake = aFake();
  fake.code = "denied";
  const denied = login(fake, aTerminal(undefined, ["X"]).terminal, { noBrowser: true });
  expect((await failureOf(denied)).code).toBe("ERR_LOGIN_FAILED");
  fake.code = null;
  const late = login(fake, aTerminal(undefined, ["X"]).terminal, { noBrowser: true, timeoutMs: 50 });
  expect((await failureOf(late)).code).toBe("ERR_TIMEOUT");
});

test("the hosted flow is taken where the provider does not allow a loopback redirect", async () => {
  const fake = aFake();
  fake.config.oidc.loopback = false;
  fake.code = "ABCD";
  expect((await login(fake, aTerminal(undefined, ["ABCD"]).terminal)).kind).toBe("claimed");
});

test.each<[env: Record<string, string>, platform: string, want: boolean]>([
  [{}, "linux", false],
  [{ DISPLAY: ":0" }, "linux", true],
  [{ WAYLAND_DISPLAY: "wayland-0" }, "linux", true],
  [{ BROWSER: "firefox" }, "linux", true],
  [{ DISPLAY: ":0", SSH_CONNECTION: "1 2 3 4" }, "linux", false],
  [{ BROWSER: "firefox", SSH_CONNECTION: "1 2 3 4" }, "linux", false],
  [{ DISPLAY: ":0", QF_NO_BROWSER: "1" }, "linux", false],
  [{}, "darwin", true],
])("hasBrowser with %p on %s is %p", (env, platform, want) => {
  expect(hasBrowser(env, platform)).toBe(want);
});

test.each<[browser: string, platform: string, want: string[]]>([
  ["", "linux", ["xdg-open", "U"]],
  ["", "darwin", ["open", "U"]],
  ["", "win32", ["rundll32.exe", "url.dll,FileProtocolHandler", "U"]],
  ["firefox", "linux", ["firefox", "U"]],
  ["firefox --new-window", "linux", ["firefox", "--new-window", "U"]],
  ["w3m -o x=%s", "linux", ["w3m", "-o", "x=U"]],
])("browserCommand of %p on %s is %p", (browser, platform, want) => {
  expect(browserCommand("U", { BROWSER: browser }, platform)).toEqual(want);
});

test("serviceToken takes the file before the variable, and says what is wrong with it", async () => {
  const file = join(tempFolder(), "token");
  writeFileSync(file, "qft_0123456789abcdef\n");
  expect(await serviceToken({})).toBeUndefined();
  expect(await serviceToken({ QF_TOKEN: "qft_fedcba9876543210" })).toBe("qft_fedcba9876543210");
  expect(await serviceToken({ QF_TOKEN: "other_0123456789", QF_TOKEN_FILE: file })).toBe(
    "qft_0123456789abcdef",
  );
  const api = { QF_TOKEN: "qfp_0123456789abcdef" };
  expect(await serviceToken(api)).toBeUndefined();
  expect(await environmentToken(api)).toBe("qfp_0123456789abcdef");
  const apiFile = { QF_TOKEN_FILE: `${file}.api` };
  writeFileSync(apiFile.QF_TOKEN_FILE, "qfp_0123456789abcdef\n");
  expect(await serviceToken(apiFile)).toBeUndefined();
  expect(await environmentToken(apiFile)).toBe("qfp_0123456789abcdef");
  const setupKey = await failureOf(serviceToken({ QF_TOKEN: `qfs_${"a".repeat(43)}` }));
  expect(setupKey.code).toBe("ERR_LOGIN_FAILED");
  expect(setupKey.message).toContain("setup key");
  expect((await failureOf(serviceToken({ QF_TOKEN: "two words and more" }))).code).toBe("ERR_LOGIN_FAILED");
  expect((await failureOf(serviceToken({ QF_TOKEN_FILE: `${file}.none` }))).message).toContain(
    "cannot be read",
  );
});
