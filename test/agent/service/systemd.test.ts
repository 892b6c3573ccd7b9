import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LAUNCHER, systemdUserManager, unitText } from "../../../src/agent/service/systemd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

describe("the unit", () => {
  test("names the executable in systemd's quoting", () => {
    const text = unitText(["/opt/my apps/100%/qf$", "agent"]);
    expect(text).toContain(' "qf-agent" "/opt/my apps/100%%/qf$$" "agent"\n');
    expect(text.split("\n").filter((line) => line.startsWith("ExecStart="))).toHaveLength(1);
  });

  test("is started again for ever, whatever ended it", () => {
    const [unit = "", service = ""] = unitText(["/usr/local/bin/qf"]).split("[Service]");
    // In the section where systemd reads it (systemd.unit(5), since 230).
    expect(unit).toContain("\nStartLimitIntervalSec=0\n");
    expect(service).toContain("\nRestart=always\n");
  });

  test("as the documents write one does not stay failed either", () => {
    const folder = join(import.meta.dir, "../../../docs");
    const units = readdirSync(folder)
      .filter((name) => name.endsWith(".md"))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").match(/^\[Unit\]\n[^`]*/gm) ?? [])
      .filter((unit) => unit.includes("[Service]"));
    expect(units.length).toBeGreaterThan(0);
    for (const unit of units) {
      const [before = "", service = ""] = unit.split("[Service]");
      expect(before).toContain("\nStartLimitIntervalSec=0\n");
      expect(service).toContain("\nRestart=always\n");
    }
  });

  test("counts as started once the agent says so, and stops its launcher alone", () => {
    const lines = unitText(["/usr/local/bin/qf"]).split("\n");
    for (const line of ["Type=notify", "NotifyAccess=all", "KillMode=process"]) expect(lines).toContain(line);
    expect(lines.some((line) => /^WatchdogSec=\d+$/.test(line))).toBe(true);
  });

  test("of a user belongs to that user's default target", () => {
    expect(unitText(["/home/ada/.local/bin/qf"], "default.target")).toContain("\nWantedBy=default.target\n");
  });
});

test("a user without a systemd of their own has no manager", () => {
  expect(systemdUserManager({})).toBeNull();
  expect(systemdUserManager({ XDG_RUNTIME_DIR: tempFolder() })).toBeNull();
});

describe("the launcher", () => {
  /** The launcher around a shell that does `first`, notes its pid, and then does `body`. */
  function launch(first: string, body: string) {
    const file = join(tempFolder(), "pid");
    const agent = ["/bin/sh", "-c", `${first}; echo $$ > ${file}.new; mv ${file}.new ${file}; ${body}`];
    const child = Bun.spawn(["/bin/sh", "-c", LAUNCHER, "qf-agent", ...agent], { stdout: "pipe" });
    const pid = () => until("the agent", () => existsSync(file) && Number(readFileSync(file, "utf8")));
    return { child, pid };
  }

  const FOREVER = "while :; do sleep 0.05; done";
  const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/stat`);

  test.each([0, 3])("ends with exit status %d as its agent does", async (status) => {
    expect(await launch(":", `exit ${status}`).child.exited).toBe(status);
  });

  test("passes a signal to stop on, and waits until the agent has ended", async () => {
    const { child, pid } = launch('trap "echo stopped; exit 7" TERM', FOREVER);
    const agent = await pid();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(7);
    expect(await new Response(child.stdout).text()).toBe("stopped\n");
    expect(isAlive(agent)).toBe(false);
  });

  test("ends an agent that hangs when the watchdog fires", async () => {
    const { child, pid } = launch('trap "" TERM', FOREVER);
    const agent = await pid();
    child.kill("SIGABRT");
    expect(await child.exited).toBe(128 + 9);
    await until("the end of the agent", () => !isAlive(agent));
  });

  test("ends when its agent is killed", async () => {
    const { child, pid } = launch(":", FOREVER);
    process.kill(await pid(), "SIGKILL");
    expect(await child.exited).toBe(128 + 9);
  });
});
