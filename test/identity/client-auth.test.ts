import { expect, test } from "bun:test";
import { basicCredentials, clientAuthentication, clientAuthMethods } from "../../src/identity/client-auth.ts";

const decoded = (header: string): string => Buffer.from(header.replace("Basic ", ""), "base64").toString();

test.each<[id: string, secret: string, want: string]>([
  // A provider that compares the parts as they are must find its own id in them.
  ["0oa-1_b.c~d", "s3cret-_.~", "0oa-1_b.c~d:s3cret-_.~"],
  ["client id", "a:b/c+d%", "client+id:a%3Ab%2Fc%2Bd%25"],
  ["kürzel", "€", "k%C3%BCrzel:%E2%82%AC"],
])("basicCredentials of %s and %s are %s", (id, secret, want) => {
  expect(decoded(basicCredentials(id, secret))).toBe(want);
});

test.each<[listed: string[] | undefined, flag: "client_secret_post" | null, want: string[]]>([
  [undefined, null, ["client_secret_basic", "client_secret_post"]],
  [["client_secret_post", "client_secret_basic"], null, ["client_secret_basic", "client_secret_post"]],
  [["client_secret_post"], null, ["client_secret_post"]],
  [["tls_client_auth"], null, []],
  [["client_secret_basic"], "client_secret_post", ["client_secret_post"]],
])("of %p with the flag %p these are tried: %p", (listed, clientAuth, want) => {
  expect(clientAuthMethods({ clientAuth }, listed)).toEqual(want as never);
});

test.each(["client_secret_basic", "client_secret_post"] as const)(
  "%s puts the secret in one place",
  async (method) => {
    const body = new URLSearchParams();
    const headers = new Headers();
    await clientAuthentication("secret", method)({ issuer: "https://i" }, { client_id: "id" }, body, headers);
    expect(headers.has("authorization")).toBe(method === "client_secret_basic");
    expect(body.get("client_secret")).toBe(method === "client_secret_post" ? "secret" : null);
  },
);

test("a public client says its id and no more", async () => {
  const body = new URLSearchParams();
  const headers = new Headers();
  const client = { client_id: "id" };
  await clientAuthentication(null, "client_secret_basic")({ issuer: "https://i" }, client, body, headers);
  expect(body.toString()).toBe("client_id=id");
  expect(headers.has("authorization")).toBe(false);
});
