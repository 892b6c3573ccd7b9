/** `--intercept` and `--resolver` of an agent: whose connections are carried, and whose are not. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { loopbackOf } from "../../../src/agent/intercept/name-server.ts";
import { hasParamiko, JSCH, jsch, paramiko, signInOn } from "../../support/any-program.ts";
import type { Lab, LabAgent, Person } from "../../support/lab.ts";
import { LabTerminal } from "../../support/lab-terminal.ts";
import { OsAccount } from "../../support/os-accounts.ts";
import { describeInOwnNetwork } from "../../support/own-network.ts";
import { openSetUp, type SetUp } from "../../support/set-up.ts";

/** Another product's machine: in 100.64.0.0/10 as well, and reachable without us. */
const BESIDE = "100.127.0.9";
const OTHER = "SSH-2.0-another-network\r\n";
/** Connects, says `$3`, and prints what comes until the end. */
const TALK = `exec 3<>"/dev/tcp/$1/$2" && printf %b "$3" >&3 && timeout 20 cat <&3`;

describeInOwnNetwork(import.meta.path, "--intercept", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let named: OsAccount;
  let service: OsAccount;
  let bastion: LabAgent;
  let ada: Person;
  let address: string;
  let listeners: Bun.TCPSocketListener<undefined>[];

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"], ["named"], ["service"]],
      groups: { bastions: "Bastions" },
      policies: [],
      devices: {},
    });
    ({ lab, person: ada } = setUp);
    deploy = setUp.accountNamed("deploy");
    named = setUp.accountNamed("named");
    service = setUp.accountNamed("service");
    const { devs, servers } = setUp;
    await lab.createPolicy("through", [devs, setUp.group("bastions")], [servers], {
      authorized_groups: { [devs]: [deploy.name] },
      allow_intercepted: [setUp.group("bastions")],
    });
    address = (await setUp.agent.status()).self?.address ?? "";
    // Whatever is not carried ends up at another network, which has the same addresses.
    for (const local of [address, BESIDE]) run("ip", "address", "add", `${local}/32`, "dev", "lo");
    listeners = [22, 22_022].flatMap((port) => [address, BESIDE].map((hostname) => answerAt(hostname, port)));
    bastion = await lab.startAgent("bastion", {
      groups: [setUp.group("bastions")],
      args: ["--intercept", named.name, "--resolver", "qf.test"],
    });
    await lab.until("the rules", async () => rules().includes(address), 30_000);
  }, 120_000);

  afterAll(async () => {
    for (const listener of listeners ?? []) listener.stop(true);
    await setUp?.[Symbol.asyncDispose]();
  });

  test("has nothing to complain of, and rules that are its own", async () => {
    const { problems, flags } = await bastion.status();
    expect(problems.filter((problem) => problem.includes("--intercept"))).toEqual([]);
    expect(flags.intercept).toEqual([named.name]);
    expect(rules()).toContain("flags owner");
    expect(rules()).not.toContain("100.64.0.0/10");
  });

  test.skipIf(!hasParamiko)("paramiko of a named user comes in at the address, by a page", async () => {
    const terminal = paramiko(lab, { host: address, user: deploy.name }, as(named));
    await signInOn(terminal, ada);
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain(`ran ${deploy.name} 7`);
    const opened = await lab.until("the connection", async () =>
      (await lab.events()).find(({ activity_code }) => activity_code === "ssh.connection.open"),
    );
    expect(opened.data).toMatchObject({ userId: ada.id, devicePeerId: null, certificateSerial: null });
  });

  test("ssh without our configuration comes in by the name that --resolver gives", async () => {
    await lab.until("the name", async () => readFileSync("/etc/hosts", "utf8").includes("web1.qf.test"));
    const options = ["StrictHostKeyChecking=accept-new", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
    const ssh = ["ssh", "-F", "none", ...options.flatMap((option) => ["-o", option])];
    const argv = [...as(named), ...ssh, `${deploy.name}@web1.qf.test`, "id -un"];
    const terminal = new LabTerminal(argv, lab.env({ TERM: "xterm", HOME: named.home }), lab.root);
    await signInOn(terminal, ada);
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain(`\n${deploy.name}`);
  });

  test("the name server of --resolver has the machine's name, and no other", async () => {
    const { self } = await bastion.status();
    const resolver = new Resolver();
    resolver.setServers([`${loopbackOf(self?.address ?? "")}:53`]);
    expect(await resolver.resolve4("web1.qf.test")).toEqual([address]);
    const codes = ["web2.qf.test", "web1.qf.internal"].map((name) => resolver.resolve4(name).catch(codeOf));
    expect(await Promise.all(codes)).toEqual(["ENOTFOUND", "EREFUSED"]);
  });

  test.skipIf(Bun.which("plink") === null)("PuTTY's plink comes in by the name too", async () => {
    const plink = ["plink", "-ssh", "-no-antispoof", `${deploy.name}@web1.qf.test`, "id -un"];
    const env = lab.env({ TERM: "xterm", HOME: named.home });
    const terminal = new LabTerminal([...as(named), ...plink], env, lab.root);
    await terminal.expect(/\(y\/n/, 30_000);
    terminal.type("y\r");
    await signInOn(terminal, ada);
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain(`\n${deploy.name}`);
  });

  test("a program with a socket for IPv6 that speaks IPv4, as Java's have, is carried too", async () => {
    const said = await printed(talk(named, `::ffff:${address}`, 22, "SSH-2.0-t\\r\\n"));
    expect(said).toMatch(/^SSH-2\.0-OpenSSH_\S+ QuFabric_/);
  });

  test.skipIf(JSCH === null)("JSch comes in by the name too", async () => {
    const terminal = jsch(lab, { host: "web1.qf.test", user: deploy.name }, as(named));
    await signInOn(terminal, ada);
    expect(await terminal.end(30_000)).toBe(0);
    expect(terminal.text).toContain(`ran ${deploy.name}`);
  });

  test.skipIf(Bun.which("mosh") === null)(
    "mosh begins by the name, and goes on straight to the machine",
    async () => {
      const ssh = "ssh -F none -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null";
      const options = [`--ssh=${ssh}`, "--experimental-remote-ip=remote", "--no-init"];
      const mosh = ["mosh", ...options, `${deploy.name}@web1.qf.test`, "--", "sh", "-c", "id -un; sleep 2"];
      const env = lab.env({ TERM: "xterm", HOME: named.home, LC_ALL: "C.UTF-8" });
      const terminal = new LabTerminal([...as(named), ...mosh], env, lab.root);
      await signInOn(terminal, ada);
      await terminal.expect(/\[mosh is exiting\.\]/, 30_000);
      expect(await terminal.end()).toBe(0);
    },
  );

  test("curl's sftp is asked to sign in, cannot, and is refused", async () => {
    const curl = [
      "curl",
      "-sS",
      "-k",
      "--max-time",
      "20",
      "-u",
      `${deploy.name}:`,
      "sftp://web1.qf.test/etc/",
    ];
    const child = Bun.spawn([...as(named), ...curl], { env: lab.env({}), stdout: "pipe", stderr: "pipe" });
    const [said, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    expect([exitCode, said]).toEqual([67, "curl: (67) Authentication failure\n"]);
  });

  test.each<[who: string, argv: () => string[]]>([
    ["a user who is not named", () => talk(service, address)],
    ["root", () => ["bash", "-c", TALK, "bash", address, "22", ""]],
    ["a named user at another product's address", () => talk(named, BESIDE)],
    ["a named user at another product's port 22022", () => talk(named, BESIDE, 22_022)],
    ["a packet that is only forwarded", () => fromBehind(address)],
  ])("%s is let be", async (_who, argv) => {
    expect(await printed(argv())).toBe(OTHER);
  });

  test("a container of the named user, with a network of its own, gets nothing", async () => {
    expect(await printed(["unshare", "--net", ...talk(named, address)])).toBe("");
  });

  test("a page that a browser of the named user asks for gets nothing", async () => {
    const page = "GET / HTTP/1.1\\r\\nHost: web1\\r\\n\\r\\n";
    const answer = await printed(talk(named, address, 22_022, page));
    expect(answer.replace(/^SSH-2\.0-[^\r\n]*\r\n/, "")).toBe("");
    await lab.until("its word", async () => bastion.log().includes("does not speak SSH"));
  });

  test("whoever finds the port that connections are sent to gets nothing", async () => {
    const port = Number(/redirect to :(\d+)/.exec(rules())?.[1]);
    for (const account of [named, service]) expect(await printed(talk(account, "127.0.0.1", port))).toBe("");
  });

  test("an account that is there only later is taken up once the same flag is given again", async () => {
    using late = new OsAccount("late");
    const away = `${late.name}0`;
    const give = () =>
      lab.qf([
        ...["agent", "up", "--state-dir", bastion.stateDir],
        "--intercept",
        `${named.name},${late.name}`,
      ]);
    const complaints = async () =>
      (await bastion.status()).problems.filter((problem) => problem.includes("--intercept"));
    late.change("usermod", "--login", away);
    try {
      expect((await give()).exitCode).toBe(0);
      await lab.until("the complaint", async () => (await complaints()).length > 0);
      expect(await complaints()).toEqual([`no such user or group for --intercept: ${late.name}`]);
    } finally {
      run("usermod", "--login", late.name, away);
    }
    const again = await give();
    expect([again.exitCode, again.stderr]).toEqual([0, ""]);
    expect(await complaints()).toEqual([]);
  });

  test("an agent that is killed leaves no rules, and nothing of a named user's goes elsewhere", async () => {
    await bastion.kill();
    await lab.until("the end of its table", async () => !rules().includes("redirect to"));
    expect(await printed(talk(named, address))).toBe("");
    expect(await printed(talk(named, BESIDE))).toBe(OTHER);
    expect(await printed(talk(service, address))).toBe(OTHER);
  });

  test("an agent that starts again without it takes back what was left", async () => {
    await bastion.up(["--intercept=", "--resolver="]);
    await lab.until("the end of its rules", async () => rules() === "");
    await lab.until(
      "the end of its names",
      async () => !readFileSync("/etc/hosts", "utf8").includes("qufabric"),
    );
    expect(await printed(talk(named, address))).toBe(OTHER);
  });

  test("an agent that was killed and is uninstalled leaves nothing", async () => {
    await bastion.up(["--intercept", named.name, "--resolver", "qf.test"]);
    const hosts = () => readFileSync("/etc/hosts", "utf8");
    await lab.until("both", async () => rules().includes(address) && hosts().includes("qufabric"), 30_000);
    await bastion.kill();
    const down = ["agent", "down", "--uninstall", "--state-dir", bastion.stateDir];
    expect((await lab.qf(down)).exitCode).toBe(0);
    expect([rules(), hosts().includes("qufabric")]).toEqual(["", false]);
  });

  const talk = (account: OsAccount, host: string, port = 22, says = "") => [
    ...as(account),
    ...["bash", "-c", TALK, "bash", host, String(port), says],
  ];
});

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : error);

const as = ({ name }: OsAccount) => ["setpriv", `--reuid=${name}`, `--regid=${name}`, "--clear-groups"];

/** A network of its own behind a router, which we are; named users there are nobody here. */
function fromBehind(address: string): string[] {
  const script = `
    ip link add behind type veth peer name before
    ip address add 198.51.100.1/24 dev before && ip link set before up
    exec 4< <(exec unshare --net bash -c 'echo $$; exec sleep 60')
    read -r pid <&4
    ip link set behind netns "$pid"
    inside() { nsenter --net="/proc/$pid/ns/net" "$@"; }
    inside ip address add 198.51.100.2/24 dev behind && inside ip link set behind up
    inside ip route add default via 198.51.100.1
    inside bash -c "$1" bash "$2" 22 ""
    kill "$pid"`;
  return ["bash", "-c", script, "bash", TALK, address];
}

function answerAt(hostname: string, port: number) {
  return Bun.listen<undefined>({
    ...{ hostname, port, data: undefined },
    socket: {
      open(socket) {
        socket.end(OTHER);
      },
      data() {},
    },
  });
}

const rules = (): string => Bun.spawnSync(["nft", "list", "ruleset"]).stdout.toString();

function run(...argv: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(argv, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
}

async function printed(argv: readonly string[]): Promise<string> {
  const child = Bun.spawn([...argv], { stdout: "pipe", stderr: "ignore", stdin: "ignore", cwd: "/" });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text;
}
