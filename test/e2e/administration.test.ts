/** Administration by `qf login`: no token is made by name, and the role decides. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Lab, type LabDevice, OWNER, openLab, type Person } from "../support/lab.ts";

describe("administration by login", () => {
  let lab: Lab;
  let owner: LabDevice;
  let ada: Person;
  let hers: LabDevice;

  beforeAll(async () => {
    lab = await openLab();
    ada = await lab.createPerson("ada@example.com");
    owner = lab.device(OWNER, "desk");
    hers = lab.device(ada, "laptop");
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  test("an owner signs in for one command where no login is kept", async () => {
    const made = await owner.qf(["group", "create", "Web"]);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).toMatch(/^created group Web/);
  });

  test("a kept login administers without a question", async () => {
    await owner.login();
    const listed = await owner.qf(["group", "list"], { env: { QF_NO_BROWSER: "1" } });
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listed.stdout).toContain("Web");
  });

  test("a plain user is told that the role does not allow it", async () => {
    await hers.login();
    const refused = await hers.qf(["group", "create", "Mine"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("the role user may not do this");
  });

  test("a token of scope api in the environment does not stand in the way of qf ssh's sign-in", async () => {
    const env = { QF_TOKEN: lab.token };
    const who = await hers.qf(["whoami"], { env });
    expect(who).toMatchObject({ exitCode: 0 });
    expect(who.stdout).toContain("ada@example.com");
  });

  test("logout ends it", async () => {
    await owner.qf(["logout"]);
    const asked = await owner.qf(["group", "list"], { env: { QF_NO_BROWSER: "1" }, stdin: "" });
    expect(asked.exitCode).not.toBe(0);
  });
});
