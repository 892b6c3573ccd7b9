/** Clients other than OpenSSH's with a certificate, and tools that sit on top of one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "../support/os-accounts.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";

const PYTHON = "/usr/bin/python3";
const hasParamiko =
  existsSync(PYTHON) && Bun.spawnSync([PYTHON, "-c", "import paramiko"], { stderr: "ignore" }).exitCode === 0;
const hasPutty = ["plink", "psftp", "puttygen"].every((name) => Bun.which(name) !== null);
const hasAnsible = Bun.which("ansible") !== null;
const hasMosh = ["mosh", "script"].every((name) => Bun.which(name) !== null);

/** Signs in with key and certificate; runs, copies and forwards. */
const PARAMIKO = `
import sys, paramiko
host, port, user, key, certificate, service = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6], int(sys.argv[6])
pkey = paramiko.Ed25519Key.from_private_key_file(key)
pkey.load_certificate(certificate)
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.load_host_keys(sys.argv[7])
client.connect(host, port, user, pkey=pkey, look_for_keys=False, allow_agent=False)
_, out, err = client.exec_command("id -un; echo err >&2; exit 7")
print(out.read().decode().strip(), err.read().decode().strip(), out.channel.recv_exit_status())
sftp = client.open_sftp()
with sftp.open("big", "wb") as file:
    file.set_pipelined(True)
    for _ in range(64):
        file.write(b"x" * 65536)
sftp.rename("big", "renamed")
print(sftp.stat("renamed").st_size, sorted(name for name in sftp.listdir(".") if name == "renamed"))
sftp.get("renamed", sys.argv[8])
channel = client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", service), ("127.0.0.1", 1))
print(channel.recv(64).decode().strip())
client.get_transport().renegotiate_keys()
print(client.exec_command("echo after")[1].read().decode().strip())
client.close()
`;

describe.skipIf(!isRoot)("other clients with a certificate", () => {
  let machine: StockMachine;
  let user = "";
  const here = (name: string) => join(machine.lab.root, name);

  beforeAll(async () => {
    machine = await openStockMachine();
    user = machine.account.name;
  }, 60_000);

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  test.skipIf(!hasParamiko)("paramiko runs, copies, forwards and rekeys", async () => {
    const service = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void socket.write("hello\n"), data() {} },
    });
    await machine.refresh();
    writeFileSync(here("client.py"), PARAMIKO);
    const known = readFileSync(machine.knownHosts, "utf8").replace(/^\*/gm, `[127.0.0.1]:${machine.port}`);
    writeFileSync(here("paramiko-hosts"), known);
    const words = ["127.0.0.1", machine.port, user, machine.key, machine.certificate, service.port];
    const result = await machine.run([
      PYTHON,
      here("client.py"),
      ...words.map(String),
      here("paramiko-hosts"),
      here("fetched"),
    ]);
    service.stop(true);
    expect(result.stdout + result.stderr).toBe(`${user} err 7\n${64 * 65536} ['renamed']\nhello\nafter\n`);
    expect(readFileSync(here("fetched")).length).toBe(64 * 65536);
  });

  describe.skipIf(!hasPutty)("PuTTY", () => {
    let options: string[] = [];

    beforeAll(async () => {
      await machine.refresh();
      const key = here("key.ppk");
      await machine.run(["puttygen", machine.key, "-O", "private", "-o", key]);
      const listed = await machine.run(["ssh-keygen", "-lf", machine.knownHosts]);
      const fingerprints = listed.stdout.match(/SHA256:\S+/g) ?? [];
      const keys = fingerprints.flatMap((fingerprint) => ["-hostkey", fingerprint]);
      options = ["-batch", "-P", String(machine.port), "-i", key, "-cert", machine.certificate, ...keys];
    });

    test("plink runs a command, with its output, error and status, and feeds it", async () => {
      const script = 'plink "$@" "cat; id -un; echo err >&2; exit 7" < /etc/hostname';
      const result = await machine.run(["sh", "-c", script, "sh", ...options, `${user}@127.0.0.1`]);
      const stdout = `${readFileSync("/etc/hostname", "utf8")}${user}\n`;
      expect(result).toMatchObject({ stdout, stderr: "err\n", exitCode: 7 });
    });

    test("psftp carries a file there and back", async () => {
      writeFileSync(
        here("psftp-batch"),
        `put ${here("key.ppk")} there\nget there ${here("back.ppk")}\nls\nrm there\n`,
      );
      const batch = ["-b", here("psftp-batch")];
      const result = await machine.run(["psftp", ...options, ...batch, `${user}@127.0.0.1`]);
      expect(result).toMatchObject({ exitCode: 0 });
      expect(readFileSync(here("back.ppk"))).toEqual(readFileSync(here("key.ppk")));
    });

    test("plink goes through qf proxy connect as its proxy command", async () => {
      const { executable } = machine.lab;
      const proxy = `${executable} proxy connect --config-dir ${machine.device.configDir} ${machine.host} 22`;
      const at = options.indexOf("-P");
      const rest = options.filter((_, i) => i !== at && i !== at + 1);
      const words = ["plink", "-proxycmd", proxy, ...rest, `${user}@${machine.host}`, "echo through"];
      expect(await machine.run(words)).toMatchObject({ stdout: "through\n", exitCode: 0 });
    });
  });

  test.skipIf(!hasAnsible)(
    "ansible pings and copies with ten forks at once",
    async () => {
      const hosts = Array.from({ length: 10 }, (_, i) => `m${i} ansible_host=${machine.host} n=${i}`);
      writeFileSync(here("inventory"), `[all]\n${hosts.join("\n")}\n`);
      writeFileSync(here("payload"), "copied\n");
      const python = `ansible_user=${user} ansible_python_interpreter=${PYTHON}`;
      const env = {
        ANSIBLE_HOST_KEY_CHECKING: "True",
        ANSIBLE_SSH_ARGS: `-F ${machine.config} -o ControlMaster=auto -o ControlPersist=5s`,
        ANSIBLE_SSH_CONTROL_PATH_DIR: here("cp"),
        ANSIBLE_LOCAL_TEMP: here("ansible"),
        ANSIBLE_NOCOLOR: "1",
      };
      const ansible = (...args: string[]) =>
        machine.run(["ansible", "all", "-i", here("inventory"), "-f", "10", "-e", python, ...args], env);
      const pinged = await ansible("-m", "ping");
      expect(pinged.stdout.match(/"ping": "pong"/g) ?? [pinged.stdout, pinged.stderr]).toHaveLength(10);
      const copied = await ansible(
        "-m",
        "copy",
        "-a",
        `src=${here("payload")} dest=copied-{{ n }} mode=0600`,
      );
      expect(copied.stdout.match(/CHANGED/g) ?? [copied.stdout, copied.stderr]).toHaveLength(10);
      expect(readFileSync(join(machine.account.home, "copied-7"), "utf8")).toBe("copied\n");
    },
    90_000,
  );

  test.skipIf(!hasAnsible)(
    "ansible gets in although it was told not to check host keys",
    async () => {
      writeFileSync(here("one"), `[all]\none ansible_host=${machine.host}\n`);
      const python = `ansible_user=${user} ansible_python_interpreter=${PYTHON}`;
      const env = {
        ANSIBLE_HOST_KEY_CHECKING: "False",
        ANSIBLE_SSH_ARGS: `-F ${machine.config} -o ControlMaster=auto -o ControlPersist=5s`,
        ANSIBLE_SSH_CONTROL_PATH_DIR: here("cp-unchecked"),
        ANSIBLE_LOCAL_TEMP: here("ansible"),
        ANSIBLE_NOCOLOR: "1",
      };
      const pinged = await machine.run(
        ["ansible", "all", "-i", here("one"), "-e", python, "-m", "ping"],
        env,
      );
      expect(pinged.stdout.match(/"ping": "pong"/g) ?? [pinged.stdout, pinged.stderr]).toHaveLength(1);
    },
    90_000,
  );

  test.skipIf(!hasMosh)(
    "mosh finds the machine by the address that the machine says",
    async () => {
      const options = "--experimental-remote-ip=remote --no-init";
      const ssh = `--ssh="ssh -F ${machine.config}"`;
      const line = `stty rows 24 cols 80; mosh ${ssh} ${options} ${user}@${machine.host}`;
      const words = ["timeout", "60", "script", "-qec", `${line} -- sh -c 'id -un; sleep 2'`, "/dev/null"];
      const result = await machine.run(words, { LC_ALL: "C.UTF-8", TERM: "xterm" });
      expect(result.stdout).toContain("Using remote IP address 127.0.0.1 from $SSH_CONNECTION");
      expect(result.stdout).toContain("[mosh is exiting.]");
      expect(result.exitCode).toBe(0);
    },
    90_000,
  );
});
