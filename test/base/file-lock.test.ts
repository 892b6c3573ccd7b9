import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "../../src/base/file-lock.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("a lock is held once, by an open file and not by a process, until that is closed", () => {
  const path = join(tempFolder(), "lock");
  const [first, second] = [openSync(path, "a"), openSync(path, "a")];
  expect(tryLock(first)).toBe(true);
  expect(tryLock(first)).toBe(true); // The holder may ask again.
  expect(tryLock(second)).toBe(false);
  closeSync(first);
  expect(tryLock(second)).toBe(true);
  closeSync(second);
});

test("the lock of a process that is killed is free", async () => {
  const path = join(tempFolder(), "lock");
  const library = join(import.meta.dir, "../../src/base/file-lock.ts");
  const script = `
    import { openSync } from "node:fs";
    import { tryLock } from "${library}";
    process.stdout.write(String(tryLock(openSync(${JSON.stringify(path)}, "a"))));
    await Bun.sleep(60_000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe("true");
  const ours = openSync(path, "a");
  expect(tryLock(ours)).toBe(false);
  child.kill("SIGKILL");
  await child.exited;
  expect(tryLock(ours)).toBe(true);
  closeSync(ours);
});

test.each([[-1], [10_000]])("no lock is taken of %d, which is no open file", (fd) => {
  expect(tryLock(fd)).toBe(false);
});
