import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isExpired, isLocked, lookUpAccount, lookUpGroupId } from "../../../src/agent/os/users.ts";
import { denialOfLocalAccount } from "../../../src/policy/decide/local-account.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";

const DAY = 86_400;

test.each([
  ["a hash", "$y$j9T$abc", false],
  ["no password", "*", false],
  ["an account that never had one", "!", false],
  ["the same on Red Hat", "!!", false],
  ["an empty password", "", false],
  ["shadowed elsewhere", "x", false],
  ["a hash locked by passwd -l", "!$y$j9T$abc", true],
  ["no password, locked by usermod -L", "!*", true],
  ["a lock of other systems", "*LK*", true],
  ["such a lock with a hash", "*LK*$6$x", true],
])("isLocked reads %s", (_name, password, want) => {
  expect(isLocked(password)).toBe(want);
});

test.each([
  ["no date", "", 20_000 * DAY, false],
  ["the day before", "20000", 20_000 * DAY - 1, false],
  ["its first second", "20000", 20_000 * DAY, true],
  ["chage -E 0", "0", 20_000 * DAY, true],
  ["chage -E -1", "-1", 20_000 * DAY, false],
])("isExpired reads %s", (_name, days, nowSeconds, want) => {
  expect(isExpired(days, nowSeconds)).toBe(want);
});

describe("lookUpAccount in files", () => {
  let etc = "";
  beforeAll(() => {
    etc = mkdtempSync(join(tmpdir(), "qf-etc-"));
    const lines = [
      "alice:x:2001:2002:Alice,,,:/home/alice:/bin/sh",
      "alicia:x:2003:2003::/home/alicia:/bin/sh",
      "noshell:x:2004:2004:::",
      "toor:x:0:0::/root:/bin/sh",
      "gone:x:2005:2005::/home/gone:/no/such/shell",
      "nologin:x:2006:2006::/:/usr/sbin/nologin",
      "folder:x:2007:2007::/:/tmp",
      "broken:x:abc:1::/:/bin/sh",
      "short:x:1:1",
      "2001:x:2008:2008::/:/bin/sh",
    ];
    writeFileSync(join(etc, "passwd"), `${lines.join("\n")}\n`);
    writeFileSync(join(etc, "shadow"), "alice:!$y$x:19000:0:99999:7::19000:\n");
    writeFileSync(join(etc, "group"), "root:x:0:\ntty:x:5:\nstty:x:9:\n");
  });
  afterAll(() => rmSync(etc, { recursive: true }));
  const look = (name: string) => lookUpAccount(name, 19_000 * DAY, { etc, getent: null });

  test("gives ids, home and shell, and reads the lock and the date", async () => {
    expect(await look("alice")).toEqual({
      name: "alice",
      uid: 2001,
      gid: 2002,
      home: "/home/alice",
      shell: "/bin/sh",
      facts: { exists: true, uid: 2001, locked: true, expired: true, nologin: false, shellMissing: false },
    });
  });

  test.each([
    ["a name that only begins an entry", "ali"],
    ["a name with a colon", "alice:x"],
    ["an option", "-i"],
    ["a path", "../passwd"],
    ["a newline", "x\nalice"],
    ["nothing", ""],
    ["the wildcard", "*"],
    ["an entry with a broken id", "broken"],
    ["an entry cut short", "short"],
    ["a name in another case", "Alice"],
  ])("finds nobody for %s", async (_what, name) => {
    expect(await look(name)).toBeNull();
  });

  test("takes a name made of digits for a name, not for an id", async () => {
    expect((await look("2001"))?.uid).toBe(2008);
  });

  test("knows root by its id, whatever it is called", async () => {
    expect((await look("toor"))?.uid).toBe(0);
  });

  test.each([
    ["noshell", null, "/bin/sh"],
    ["gone", "account_nologin", "/no/such/shell"],
    // Its shell says so itself, to sessions.
    ["nologin", null, "/usr/sbin/nologin"],
    ["folder", "account_nologin", "/tmp"],
  ])("judges the shell of %s", async (name, reason, shell) => {
    const account = await look(name);
    expect(account?.shell).toBe(shell);
    expect(account === null ? "nobody" : denialOfLocalAccount(account.facts)).toBe(reason as never);
  });

  test("finds a group by its whole name", async () => {
    expect(await lookUpGroupId("tty", etc)).toBe(5);
    expect(await lookUpGroupId("tt", etc)).toBeNull();
  });
});

describe.skipIf(!isRoot)("lookUpAccount on this system", () => {
  const now = Math.floor(performance.timeOrigin / 1000);
  const reasonOf = async (name: string) => {
    const account = await lookUpAccount(name, now);
    return account === null ? "nobody" : denialOfLocalAccount(account.facts);
  };

  test("takes an account that useradd has just made", async () => {
    using account = new OsAccount("new");
    expect(await reasonOf(account.name)).toBeNull();
  });

  test.each([
    ["passwd -l on a password", ["usermod", "-p", "$6$x$y"], ["passwd", "-q", "-l"], "account_locked"],
    ["usermod -L without one", ["usermod", "-p", "*"], ["usermod", "-L"], "account_locked"],
    ["chage -E 0", ["usermod", "-p", "*"], ["chage", "-E", "0"], "account_expired"],
    ["a date that has passed", ["usermod", "-p", "*"], ["usermod", "-e", "2020-01-01"], "account_expired"],
    [
      "a shell that is no program",
      ["usermod", "-p", "*"],
      ["usermod", "-s", "/etc/passwd"],
      "account_nologin",
    ],
  ] as const)("refuses after %s, and for that reason", async (_name, before, change, reason) => {
    using account = new OsAccount("off");
    account.change(before[0], ...before.slice(1));
    expect(await reasonOf(account.name)).toBeNull();
    account.change(change[0], ...change.slice(1));
    expect(await reasonOf(account.name)).toBe(reason);
  });

  test("finds the same through getent(1) as in the files", async () => {
    using account = new OsAccount("ent");
    const etc = mkdtempSync(join(tmpdir(), "qf-etc-"));
    try {
      // No file knows the account here, so getent(1) has to.
      writeFileSync(join(etc, "nsswitch.conf"), "passwd: sss files\nshadow: sss files\n");
      const found = await lookUpAccount(account.name, now, { etc, getent: "/usr/bin/getent" });
      expect(found).toEqual(await lookUpAccount(account.name, now));
      expect(found?.uid).toBeGreaterThan(0);
      expect(await lookUpAccount(String(found?.uid), now, { etc, getent: "/usr/bin/getent" })).toBeNull();
    } finally {
      rmSync(etc, { recursive: true });
    }
  });
});
