/**
 * `make test-upgrade`: this build beside the one before, which is built from its commit in a work tree of its
 * own: the earlier agent at this management, this agent at the earlier management, and both clients at both:
 * logging in, a command, SFTP, and a revocation.
 *
 * The build before is that of PREVIOUS (a tag or commit), by default the latest tag, else 50 commits ago.
 * Needs root.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { Lab, type LabDevice } from "../support/lab.ts";
import { OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";

const ROOT = resolve(import.meta.dir, "../..");
const COMMITS_BACK = 50;

let failed = 0;
function check(what: string, holds: boolean, detail = ""): void {
  if (!holds) failed += 1;
  process.stdout.write(`${holds ? "ok  " : "FAIL"} ${what}${holds ? "" : `: ${detail}`}\n`);
}

function run(command: readonly string[], cwd: string, env: Record<string, string> = {}): string {
  const child = Bun.spawnSync([...command], { cwd, env: { ...process.env, ...env }, stderr: "pipe" });
  if (child.exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${child.stderr}`);
  return child.stdout.toString().trim();
}

/** The executable of the commit before. */
function buildPrevious(folder: string): string {
  const tag = Bun.spawnSync(["git", "describe", "--tags", "--abbrev=0"], { cwd: ROOT });
  const latest = tag.exitCode === 0 ? tag.stdout.toString().trim() : "";
  const commit = process.env.PREVIOUS || latest || `HEAD~${COMMITS_BACK}`;
  const tree = join(folder, "tree");
  const outfile = join(folder, "qf-previous");
  run(["git", "worktree", "add", "--detach", "--quiet", tree, commit], ROOT);
  try {
    run([process.execPath, "install", "--frozen-lockfile"], tree);
    run([process.execPath, "build.ts"], tree, { QF_OUTFILE: outfile });
    process.stdout.write(`     the build before is ${run(["git", "rev-parse", "--short", "HEAD"], tree)}\n`);
  } finally {
    run(["git", "worktree", "remove", "--force", tree], ROOT);
  }
  return outfile;
}

const folder = mkdtempSync(join(tmpdir(), "qf-previous-"));
const builds = { previous: "", this: join(ROOT, "dist/qf") };
type Build = keyof typeof builds;
const link = join(folder, "qf");

/** The executable that whatever is started from now on is of. */
function use(build: Build): void {
  rmSync(link, { force: true });
  symlinkSync(builds[build], link);
}

/** What OpenSSH's sftp says of the folder that it comes to. */
function bySftp(lab: Lab, device: LabDevice, destination: string) {
  const config = join(device.configDir, "openssh-config");
  const { configDir } = device;
  writeFileSync(
    config,
    renderDropIn({ executable: link, domain: "qf.internal", configDir, shortNames: false }),
  );
  const options = { env: lab.env(device.env()), cwd: lab.root, stdin: "pwd\n" };
  return runProcess(["sftp", "-F", config, "-b", "-", destination], options);
}

async function together(management: Build, agent: Build): Promise<void> {
  const root = join(folder, `${management}-${agent}`);
  mkdirSync(root);
  using account = new OsAccount("prev");
  use(management);
  await using lab = new Lab(link, root);
  await lab.initManagement();
  await lab.serveManagement();
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  await lab.createPolicy("dev", [developers], [servers], {
    authorized_groups: { [developers]: [account.name] },
  });
  use(agent);
  await lab.startAgent("web1", { groups: [servers], args: ["--enable-ssh-sftp"] });
  const host = `${account.name}@web1`;
  const sessions: ReturnType<LabDevice["spawn"]>[] = [];
  for (const client of ["previous", "this"] as const) {
    use(client);
    const at = `agent: ${agent}, management: ${management}, client: ${client}`;
    const device = lab.device(ada, `laptop-${client}`);
    await device.login();
    const command = await device.ssh([host, "id -un"]);
    check(`a command (${at})`, command.stdout === `${account.name}\n`, command.stderr);
    const sftp = await bySftp(lab, device, `${account.name}@web1.qf.internal`);
    check(`SFTP (${at})`, sftp.stdout.includes("Remote working directory"), sftp.stderr);
    const session = device.spawn(["ssh", host, "echo in; sleep 600"]);
    const reader = session.stdout.getReader();
    const { value } = await reader.read();
    check(`a session (${at})`, Buffer.from(value ?? []).toString() === "in\n");
    sessions.push(session);
  }
  await lab.setGroups(ada, []);
  const ended = Promise.all(sessions.map((session) => session.exited));
  const isOver = (await Promise.race([ended, Bun.sleep(10_000).then(() => null)])) !== null;
  check(`a revocation ends both (agent: ${agent}, management: ${management})`, isOver);
}

try {
  builds.previous = buildPrevious(folder);
  await together("this", "previous");
  await together("previous", "this");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(failed === 0 ? "all passed\n" : `${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
