/**
 * `make demo`: a whole QuFabric on this machine, from nothing to a shell command by identity.
 *
 * Everything is real and as a new user would do it, except the browser, which fills in its forms by
 * itself. State is under `.demo/`; nothing on the machine outside of it is changed.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { interruptible } from "../support/interrupt.ts";
import { Lab, type LabAgent, type LabDevice, OWNER, type Person } from "../support/lab.ts";
import { isRoot, ownName } from "../support/os-accounts.ts";
import type { RunResult } from "../support/run-process.ts";

const ROOT = resolve(import.meta.dir, "../..");
const HOST = "demo-host";
const once = process.argv.includes("--once");
const localUser = ownName();

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function step(text: string): void {
  say(`\n--- ${text}`);
}

function show(command: string, result: RunResult): void {
  say(`$ ${command}`);
  for (const line of `${result.stdout}${result.stderr}`.trimEnd().split("\n")) say(`  ${line}`);
  say(`  (exit status ${result.exitCode})`);
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the demo failed: ${what}`);
}

interface Demo {
  readonly lab: Lab;
  readonly agent: LabAgent;
  readonly device: LabDevice;
  readonly person: Person;
}

async function start(): Promise<Demo> {
  const folder = join(ROOT, ".demo");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o711 });
  const lab = new Lab(join(ROOT, "dist/qf"), folder);
  step("management: an account with an owner, its own identity provider, SQLite, on loopback");
  await lab.initManagement();
  await lab.serveManagement();
  say(`  listening at ${lab.url}, issuer ${lab.issuer}`);

  step("a group of people, a group of machines, one person, one policy");
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const person = await lab.createPerson("ada@example.com", [developers]);
  await lab.createPolicy("developers may use their own account on servers", [developers], [servers], {
    authorized_groups: { [developers]: [localUser] },
  });
  say(`  ada@example.com in Developers may be ${localUser} on Servers, and nobody else`);

  step(`this machine joins as the peer ${HOST}`);
  const root = isRoot ? ["--enable-ssh-root"] : [];
  const agent = await lab.startAgent(HOST, { groups: [servers], args: root });
  const status = await agent.status();
  say(`  ${status.self?.fullName} ${status.self?.address}, SSH at ${status.sshServer.listen.join(", ")}`);
  return { lab, agent, device: lab.device(person, "laptop"), person };
}

async function prove({ lab, device }: Demo): Promise<void> {
  step("a command by identity: sign in, certificate for this one machine, SSH");
  const allowed = await device.ssh([`${localUser}@${HOST}`, "id -un; echo the answer is $((6 * 7))"]);
  show(`qf ssh ${localUser}@${HOST} 'id -un; echo the answer is $((6 * 7))'`, allowed);
  must(allowed.exitCode === 0, "the command was not run");
  must(allowed.stdout === `${localUser}\nthe answer is 42\n`, "the command did not answer");

  step("a refusal: the policy names no such OS user");
  const denied = await device.ssh([`backup@${HOST}`, "id"]);
  show(`qf ssh backup@${HOST} id`, denied);
  must(denied.exitCode === 255, "the refusal was no refusal");
  must(denied.stderr.includes("No authorization mapping for OS user"), "the refusal gave no reason");

  step("what the audit log has of it");
  const env = { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url };
  await lab.until("the audit events of the session", async () =>
    (await lab.events()).some((event) => event.activity_code === "ssh.session.end"),
  );
  const audit = await lab.qf(["audit", "tail"], { env });
  show("qf audit tail", audit);
  must(audit.exitCode === 0 && audit.stdout.includes("ssh.session.start"), "the audit log says nothing");
}

function whereNext({ lab, person, device, agent }: Demo): void {
  const qf = `QF_CONFIG_DIR=${device.configDir} QF_MANAGEMENT_URL=${lab.url} dist/qf`;
  say(`
It stays up. Where to go next, from this folder in another terminal:

  ${qf} ssh ${localUser}@${HOST}
      asks for a sign-in: ${person.email}, password ${person.password}
  ${qf} login --ssh-jwt-cache-ttl 3600
      signs in for an hour
  dist/qf agent status -d --state-dir ${agent.stateDir}
      what the machine knows, and who is on it
  QF_MANAGEMENT_URL=${lab.url} QF_TOKEN=${lab.token} dist/qf audit tail --follow
      what happens, as it happens

The dashboard is at ${lab.url}; the owner is ${OWNER.email}, password "${OWNER.password}".
Ctrl-C ends everything.`);
}

async function untilInterrupted(): Promise<void> {
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => done());
  });
}

await interruptible(async (release) => {
  const demo = await start();
  try {
    await prove(demo);
    if (once) say("\nthe demo passed");
    else {
      release();
      whereNext(demo);
      await untilInterrupted();
    }
  } finally {
    await demo.lab[Symbol.asyncDispose]();
  }
});
