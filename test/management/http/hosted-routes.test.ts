/** The pages of a hosted sign-in, asked in process: which browser may answer, and how often. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type Ed25519Key, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { nonceOf } from "../../../src/identity/verify.ts";
import { createHostedRoutes } from "../../../src/management/http/hosted-routes.ts";
import type { HostedOrder, RelyingParty } from "../../../src/management/idp/relying-party.ts";
import { openHostedLogin } from "../../../src/management/login/hosted.ts";
import { claimHosted } from "../../../src/management/login/hosted-claim.ts";
import type { HostedLoginResponse } from "../../../src/wire/hosted-login-api.ts";
import { type LoginLab, newKey, openLoginLab } from "../../support/login-deps.ts";
import { ORIGIN } from "../../support/management.ts";
import { aToken } from "../../support/tokens.ts";

let lab: LoginLab;
let app: ReturnType<typeof createHostedRoutes>;
let orders: HostedOrder[];
/** What the provider does when a code is redeemed. */
let redeem: RelyingParty["redeem"];
beforeEach(async () => {
  lab = await openLoginLab();
  orders = [];
  app = createHostedRoutes({
    login: lab.deps,
    relyingParty: {
      async authorizationUrl(order) {
        orders.push(order);
        return `https://idp.example.com/auth?state=${order.state}`;
      },
      redeem: (answer) => redeem(answer),
      userInfo: async () => null,
    },
  });
});

interface Opened extends HostedLoginResponse {
  readonly key: Ed25519Key;
}

async function open(): Promise<Opened> {
  const key = newKey();
  const request = { loginKey: key.publicKey, deviceName: "laptop", target: "web1", localUser: "deploy" };
  const opened = await openHostedLogin(lab.deps, { ...request, fresh: true }, "192.0.2.9");
  redeem = async () => ({ idToken: tokenFor(key), accessToken: null });
  return { ...opened, key };
}

const tokenFor = (key: Ed25519Key): string =>
  aToken({ claims: { nonce: nonceOf(sshBlobOfEd25519(key.publicKey)) } });

/** A browser that was shown the page: its cookie, and the form's token. */
async function visit({ id }: Opened) {
  const response = await app.request(`${ORIGIN}/login/hosted/${id}`);
  const setCookie = response.headers.get("set-cookie") ?? "";
  const csrf = /name="csrf" value="([^"]+)"/.exec(await response.text())?.[1] ?? "";
  return { cookie: setCookie.split(";")[0] ?? "", setCookie, csrf };
}

const post = (opened: Opened, headers: Record<string, string>, form: Record<string, string>) =>
  app.request(`${ORIGIN}/login/hosted/${opened.id}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(form).toString(),
  });

/** Confirms, and gives back the cookie beside the state that the provider was sent. */
async function confirmed(opened: Opened) {
  const { cookie, csrf } = await visit(opened);
  expect((await post(opened, { cookie, origin: ORIGIN }, { csrf, action: "confirm" })).status).toBe(303);
  return { cookie, state: orders.at(-1)?.state ?? "" };
}

const callback = (state: string, cookie?: string) =>
  app.request(`${ORIGIN}/login/callback?code=x&state=${state}`, {
    headers: cookie === undefined ? {} : { cookie },
  });

describe("the form is taken", () => {
  test("from the browser that was shown it", async () => {
    const opened = await open();
    const { cookie, csrf } = await visit(opened);
    expect((await post(opened, { cookie }, { csrf, action: "confirm" })).status).toBe(303);
    expect(orders[0]?.nonce).toBe(nonceOf(sshBlobOfEd25519(opened.key.publicKey)));
  });

  test("from no other: without its cookie, its token, or with another browser's", async () => {
    const opened = await open();
    const own = await visit(opened);
    const other = await visit(opened);
    const action = "confirm";
    const wrong = [
      await post(opened, {}, { csrf: own.csrf, action }),
      await post(opened, { cookie: own.cookie }, { action }),
      await post(opened, { cookie: own.cookie }, { csrf: other.csrf, action }),
      await post(opened, { cookie: other.cookie }, { csrf: own.csrf, action }),
      await post(opened, { cookie: own.cookie, origin: "https://evil.example" }, { csrf: own.csrf, action }),
      await post(opened, { cookie: own.cookie, origin: "null" }, { csrf: own.csrf, action }),
      await post(opened, { cookie: own.cookie, "sec-fetch-site": "cross-site" }, { csrf: own.csrf, action }),
    ];
    expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 403));
    expect(orders).toEqual([]);
  });

  test("for a terminal in a page it shows the key that the terminal shows, and for others none", async () => {
    const opened = await open();
    const shown = async ({ id }: { id: string }) =>
      (await app.request(`${ORIGIN}/login/hosted/${id}`)).text();
    const key = createHash("sha256").update(sshBlobOfEd25519(opened.key.publicKey)).digest("hex").slice(0, 8);
    expect(await shown(opened)).not.toContain(key);
    const asked = { loginKey: opened.key.publicKey, deviceName: "chrome-linux", target: "web1" };
    const page = { ...asked, localUser: "deploy", fresh: true, browser: true };
    expect(await shown(await openHostedLogin(lab.deps, page, "192.0.2.9"))).toContain(key);
  });

  test("and its cookie is out of reach of scripts and of other sites", async () => {
    const { setCookie } = await visit(await open());
    expect(setCookie).toContain("HttpOnly");
    expect(setCookie).toContain("SameSite=Lax");
    expect(setCookie).toContain("Path=/login");
  });
});

describe("the provider's answer is taken", () => {
  test("in the browser that went there, and shows the code", async () => {
    const opened = await open();
    const { cookie, state } = await confirmed(opened);
    const page = await callback(state, cookie);
    expect(page.status).toBe(200);
    const code = /[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}/.exec(await page.text())?.[0] ?? "";
    const { pollSecret } = opened;
    expect(await claimHosted(lab.deps, opened.id, { pollSecret, code })).toMatchObject({
      status: "approved",
    });
  });

  test("in no other browser, by whatever state and cookie", async () => {
    const opened = await open();
    const { cookie, state } = await confirmed(opened);
    const stranger = await visit(opened);
    const elsewhere = await confirmed(await open());
    redeem = () => Promise.reject(new Error("it was redeemed"));
    const rowId = state.split(".")[0] ?? "";
    const wrong = [
      await callback(state),
      await callback(state, stranger.cookie),
      await callback(state, elsewhere.cookie),
      await callback(`${rowId}.${"A".repeat(43)}`, cookie),
      await callback(`${rowId}.`, cookie),
      await callback(`${rowId}.${elsewhere.state.split(".")[1]}`, cookie),
    ];
    expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 403));
  });

  test("for the sign-in that its cookie names, and for no other", async () => {
    const [one, two] = [await open(), await open()];
    const { cookie, state } = await confirmed(one);
    // The same secret under the other's id: the state still names the first.
    const bent = cookie.replace(/\.[^.]*$/, `.${two.id}`);
    redeem = () => Promise.reject(new Error("it was redeemed"));
    expect((await callback(state, bent)).status).toBe(403);
  });

  test("once, also when it comes twice at the same moment", async () => {
    const opened = await open();
    const { cookie, state } = await confirmed(opened);
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    redeem = async () => {
      if (++waiting === 2) both.resolve();
      await both.promise;
      return { idToken: tokenFor(opened.key), accessToken: null };
    };
    const answers = await Promise.all([callback(state, cookie), callback(state, cookie)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test("not where its token names another login key, and the terminal is told", async () => {
    const opened = await open();
    const { cookie, state } = await confirmed(opened);
    redeem = async () => ({ idToken: tokenFor(newKey()), accessToken: null });
    expect((await callback(state, cookie)).status).not.toBe(200);
    const { pollSecret } = opened;
    expect(await claimHosted(lab.deps, opened.id, { pollSecret })).toMatchObject({
      status: "denied",
      code: "ERR_TOKEN_INVALID",
    });
  });
});
