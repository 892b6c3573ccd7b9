/** SSH programs that know nothing of us, behind a proxy or an address: what they type, and what they see. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Lab, Person } from "./lab.ts";
import { LabTerminal } from "./lab-terminal.ts";
import { signIn, type Visit } from "./sign-in.ts";

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
