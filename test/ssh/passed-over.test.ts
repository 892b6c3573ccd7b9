import { expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { parseSshArgv } from "../../src/ssh/argv.ts";

/** Every option of ssh(1), one by one: what becomes of it in `qf ssh`. */
const OPTIONS = {
  taken: ["-A", "-a", "-G", "-N", "-n", "-q", "-T", "-t", "-v"],
  takenWithValue: [
    "-D 1080",
    "-L 1:a:2",
    "-R 1:a:2",
    "-W a:1",
    "-J a",
    "-l ada",
    "-p 22",
    "-e none",
    "-o Port=22",
  ],
  silent: ["-4", "-6", "-C", "-k", "-x"],
  passed: ["-f", "-K", "-M", "-y", "-c aes128-ctr", "-m hmac-sha2-256", "-E file", "-S none"],
  version: ["-V"],
  refused: ["-g", "-s", "-X", "-Y", "-B eth0", "-b 127.0.0.1", "-F file", "-I lib", "-i key"],
  refusedWithValue: ["-O check", "-P tag", "-Q cipher", "-w 0"],
} as const;

const parse = (line: string) => parseSshArgv([...line.split(" "), "web1"]);

test("the table has every option of ssh(1)", () => {
  const letters = Object.values(OPTIONS).flatMap((list) => list.map((option) => option[1] ?? ""));
  expect(letters.sort().join("")).toBe([..."46AaBbCcDEeFfGgIiJKkLlMmNnOoPpQqRSsTtVvWwXxYy"].sort().join(""));
});

test.each([...OPTIONS.taken, ...OPTIONS.takenWithValue, ...OPTIONS.silent])(
  "%s is taken without a word",
  (line) => {
    expect(parse(line)).toMatchObject({ host: "web1", passedOver: [] });
  },
);

test.each(OPTIONS.passed)("%s is passed over with one line, which repeats no value", (line) => {
  const parsed = parse(line);
  expect(parsed).toMatchObject({ host: "web1" });
  if (typeof parsed === "string") throw new Error("not help");
  expect(parsed.passedOver).toHaveLength(1);
  expect(parsed.passedOver[0]).toStartWith(`qf: ${line.slice(0, 2)} is passed over: `);
  expect(parsed.passedOver[0]).not.toMatch(/aes128-ctr|hmac-sha2|file|none/);
});

test.each([...OPTIONS.refused, ...OPTIONS.refusedWithValue])("%s is refused by name", (line) => {
  try {
    parse(line);
  } catch (error) {
    expect(isQfError(error, "ERR_USAGE")).toBe(true);
    expect(String(error)).toContain(line.slice(0, 2));
    return;
  }
  throw new Error("it was taken");
});

test.each([
  "StrictHostKeyChecking=no",
  "UserKnownHostsFile=/dev/null",
  "Ciphers=+aes128-cbc",
  "ControlMaster=auto",
])("-o %s is passed over, in any case of letters", (option) => {
  expect(parseSshArgv(["-o", option.toUpperCase(), "web1"])).toMatchObject({
    passedOver: [expect.stringContaining("is passed over: ")],
  });
});

test.each(["ProxyCommand=x", "HostName=other", "IdentityFile=key", "Tunnel=yes", "constructor=x"])(
  "-o %s, which would change who is reached or what is run, is refused",
  (option) => {
    expect(() => parseSshArgv(["-o", option, "web1"])).toThrow("is not available");
  },
);

test("-f reads nothing from stdin, as in ssh(1), and letters may stand together", () => {
  expect(parse("-fN")).toMatchObject({ noStdin: true, noSession: true });
  expect(parse("-Cqc aes128-ctr")).toMatchObject({ quiet: true, host: "web1" });
});

test("what is said twice is said once", () => {
  expect(parse("-o Ciphers=a -o MACs=b -o Ciphers=c")).toMatchObject({
    passedOver: [expect.stringContaining("-o Ciphers"), expect.stringContaining("-o MACs")],
  });
});
