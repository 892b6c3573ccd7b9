/** SSH programs that know nothing of us, behind a proxy or an address: what they type, and what they see. */
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Lab, Person } from "./lab.ts";
import { LabTerminal } from "./lab-terminal.ts";
import { signIn, type Visit } from "./sign-in.ts";
import { tempFolder } from "./temp-folder.ts";

const PYTHON = "/usr/bin/python3";
export const hasParamiko =
  existsSync(PYTHON) && Bun.spawnSync([PYTHON, "-c", "import paramiko"], { stderr: "ignore" }).exitCode === 0;

/** Signs in by what it is asked and reads from its input; runs a command, and moves a file by SFTP. */
export const PARAMIKO = `
import base64, socket, sys, urllib.parse, paramiko
host, port, user, proxy = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
if proxy:
    at = urllib.parse.urlsplit(proxy)
    sock = socket.create_connection((at.hostname, at.port), 10)
    login = base64.b64encode(f"{at.username}:{at.password}".encode()).decode()
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Proxy-Authorization: Basic {login}", "", ""]
    sock.sendall("\\r\\n".join(lines).encode())
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        byte = sock.recv(1)
        if not byte: break
        head += byte
    print(head.decode().splitlines()[0], flush=True)
else:
    sock = socket.create_connection((host, port), 10)
transport = paramiko.Transport(sock)
transport.start_client(timeout=20)
def answer(title, instructions, prompts):
    print(instructions, flush=True)
    given = []
    for prompt, echo in prompts:
        print(prompt, flush=True)
        given.append(sys.stdin.readline().strip())
    return given
try:
    transport.auth_interactive(user, answer)
except paramiko.AuthenticationException:
    print("refused", flush=True)
    sys.exit(1)
channel = transport.open_session()
channel.exec_command("id -un; exit 7")
print("ran " + channel.makefile().read().decode().strip(), channel.recv_exit_status(), flush=True)
transport.close()
`;

/** paramiko on a terminal; `proxy`: a URL for HTTP CONNECT, or nothing. */
export function paramiko(
  lab: Lab,
  to: { readonly host: string; readonly port?: number; readonly user: string; readonly proxy?: string },
  before: readonly string[] = [],
): LabTerminal {
  const args = [to.host, String(to.port ?? 22), to.user, to.proxy ?? ""];
  return new LabTerminal([...before, PYTHON, "-c", PARAMIKO, ...args], lab.env({ TERM: "xterm" }), lab.root);
}

/** The jar of JSch, where `make interop` has fetched it. */
export const JSCH = ((): string | null => {
  const folder = resolve(import.meta.dir, "../../dist/interop/java/lib");
  const jar = existsSync(folder) ? readdirSync(folder).find((name) => name.startsWith("jsch-")) : undefined;
  return jar === undefined || Bun.which("javac") === null ? null : join(folder, jar);
})();

/** Prints what it is asked, and answers with a line of its input. */
const JSCH_PROGRAM = `
import com.jcraft.jsch.*;
import java.io.*;
public class Program {
  static final BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
  static final class Person implements UserInfo, UIKeyboardInteractive {
    public String getPassphrase() { return null; }
    public String getPassword() { return null; }
    public boolean promptPassword(String message) { return false; }
    public boolean promptPassphrase(String message) { return false; }
    public boolean promptYesNo(String message) { return true; }
    public void showMessage(String message) { System.out.println(message); }
    public String[] promptKeyboardInteractive(
        String to, String name, String text, String[] prompts, boolean[] echo) {
      System.out.println(text);
      String[] answers = new String[prompts.length];
      for (int i = 0; i < prompts.length; i++) {
        System.out.println(prompts[i]);
        try { answers[i] = input.readLine().trim(); } catch (IOException error) { return null; }
      }
      return answers;
    }
  }
  public static void main(String[] args) throws Exception {
    Session session = new JSch().getSession(args[1], args[0], 22);
    session.setConfig("StrictHostKeyChecking", "no");
    session.setConfig("PreferredAuthentications", "keyboard-interactive");
    session.setUserInfo(new Person());
    session.connect(60000);
    ChannelExec channel = (ChannelExec) session.openChannel("exec");
    channel.setCommand("id -un");
    InputStream output = channel.getInputStream();
    channel.connect();
    System.out.println("ran " + new String(output.readAllBytes()).trim());
    session.disconnect();
    System.exit(0);
  }
}`;

/** JSch on a terminal. */
export function jsch(
  lab: Lab,
  to: { readonly host: string; readonly user: string },
  before: readonly string[] = [],
): LabTerminal {
  const folder = tempFolder();
  // Another user's process reads it.
  chmodSync(folder, 0o755);
  const program = join(folder, "Program.java");
  writeFileSync(program, JSCH_PROGRAM, { mode: 0o644 });
  const java = ["java", "-cp", JSCH ?? "", program, to.host, to.user];
  return new LabTerminal([...before, ...java], lab.env({ TERM: "xterm" }), lab.root);
}

/** Writes a session of PuTTY's into `home`, as its dialogue would; `plink -load NAME` takes it. */
export function puttySession(home: string, name: string, settings: Record<string, string>): void {
  const path = join(home, ".putty", "sessions", name);
  mkdirSync(dirname(path), { recursive: true });
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path, lines.join(""));
}

/** Answers the question for a code, by the page that is shown, as `who`. */
export async function signInOn(terminal: LabTerminal, who: Person): Promise<Visit> {
  await terminal.expect(/One-time code: /);
  const url = /http\S+\/login\/hosted\/\w+/.exec(terminal.text)?.[0] ?? "";
  const visit = await signIn(url, who);
  terminal.type(`${visit.code ?? "AAAA-AAAA"}\r`);
  return visit;
}
