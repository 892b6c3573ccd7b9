/** Algorithms that stock clients end at, and which are offered where. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasChaChaPoly } from "../../src/sshcore/chacha-poly.ts";
import { type BesideSshd, hasSshd, openBesideSshd } from "../support/beside-sshd.ts";
import { isRoot } from "../support/os-accounts.ts";

/** By OpenSSH's own order where they are offered. */
const STOCK = hasChaChaPoly() ? "chacha20-poly1305@openssh.com" : "aes128-ctr";
const GCM = "aes256-gcm@openssh.com";
const SIZE = 8 * 1024 * 1024;

describe.skipIf(!isRoot || !hasSshd)("stock ssh(1)", () => {
  let beside: BesideSshd;
  beforeAll(async () => {
    beside = await openBesideSshd();
  }, 60_000);
  afterAll(async () => {
    await beside?.[Symbol.asyncDispose]();
  });
  const [plain, dropIn] = [1, 2] as const;
  const ssh = (way: 1 | 2, options: readonly string[], command = "true") =>
    beside.ssh(beside.ways[way], command, options);

  test.each([
    { way: plain, name: "the plain listener", cipher: STOCK },
    { way: dropIn, name: "the drop-in", cipher: GCM },
  ] as const)("ends at $cipher by itself at $name", async ({ way, cipher }) => {
    const { stderr } = await ssh(way, ["-v"]);
    for (const direction of ["server->client", "client->server"]) {
      expect(stderr).toContain(`kex: ${direction} cipher: ${cipher} `);
    }
  });

  test.each([
    ["ecdh-sha2-nistp256", ["-o", "KexAlgorithms=ecdh-sha2-nistp256"]],
    ["hmac-sha2-256", ["-c", "aes256-ctr", "-m", "hmac-sha2-256"]],
    ["chacha20-poly1305", ["-c", "chacha20-poly1305@openssh.com"]],
  ])("is offered %s at the plain listener only", async (name, options) => {
    if (name.startsWith("chacha20") && !hasChaChaPoly()) return;
    expect(await ssh(plain, options)).toMatchObject({ exitCode: 0 });
    const elsewhere = await ssh(dropIn, options);
    expect(elsewhere.exitCode).toBe(255);
    expect(elsewhere.stderr).toContain("no matching");
  });

  test.each(["chacha20-poly1305@openssh.com", GCM, "aes128-ctr"])(
    "moves bytes whole under %s, and under many keys",
    async (cipher) => {
      if (cipher.startsWith("chacha20") && !hasChaChaPoly()) return;
      const options = ["-c", cipher, "-o", "RekeyLimit=1M"];
      const script = `head -c ${SIZE} /dev/urandom > "$0"; "$@" cat < "$0" | cmp - "$0" && rm "$0"`;
      const file = `${beside.machine.lab.root}/bytes`;
      const argv = beside.ways[plain].argv(options);
      const result = await beside.machine.run(["bash", "-c", script, file, ...argv]);
      expect(result).toMatchObject({ exitCode: 0, stdout: "" });
    },
  );

  describe.each([
    { name: "sshd", way: 0 },
    { name: "the plain listener", way: plain },
    { name: "the drop-in", way: dropIn },
  ] as const)("changing keys all the time, at $name", ({ way }) => {
    const options = ["-o", "KexAlgorithms=curve25519-sha256"];
    const shell = (script: string, limit: string) =>
      beside.shell(beside.ways[way], script, [...options, "-o", `RekeyLimit=${limit}`]);

    test("hears an answer while it sends without end", async () => {
      expect(await shell('"$@" echo hi </dev/zero', "256k")).toMatchObject({ exitCode: 0, stdout: "hi\n" });
    });

    test("sends whole what it sends, through more exchanges than there used to be", async () => {
      const script = 'head -c 10M /dev/zero | "$@" "wc -c; echo done"';
      expect(await shell(script, "16k")).toMatchObject({ exitCode: 0, stdout: "10485760\ndone\n" });
    });

    test("hears whole what it hears", async () => {
      expect((await shell('"$@" head -c 20M /dev/zero | wc -c', "256k")).stdout).toBe("20971520\n");
    });
  });
});
