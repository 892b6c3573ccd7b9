/** Tab in zsh and fish, as Debian has them, with the script where a package or install.sh puts it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { LabDevice } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";

type Check = (what: string, holds: boolean, detail?: string) => void;

const WAIT_MS_MAX = 30_000;

/** A login of somebody who may list groups is kept on `device`; there is a group `Developers`. */
export async function otherShells(device: LabDevice, check: Check): Promise<void> {
  process.stdout.write("== completion in other shells\n");
  const home = mkdtempSync(join(tmpdir(), "qf-shells-"));
  const path = `${dirname(device.lab.executable)}:${process.env.PATH}`;
  const env = device.lab.env(device.env({ PATH: path, HOME: home, TERM: "dumb", QF_NO_BROWSER: "1" }));
  try {
    if (Bun.which("zsh") === null) check("zsh is here", false, "apt install zsh");
    else await inZsh({ home, env }, check);
    if (Bun.which("fish") === null) check("fish is here", false, "apt install fish");
    else inFish({ home, env, executable: device.lab.executable }, check);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function inZsh(
  { home, env }: { readonly home: string; readonly env: Record<string, string> },
  check: Check,
): Promise<void> {
  const zsh = new LabTerminal(["zsh", "-f", "-i"], env, home);
  const set = "fpath=($PWD/site-functions $fpath); autoload -U compinit; compinit -u -D";
  zsh.type(
    `PS1='$ '; mkdir site-functions; qf completion zsh >site-functions/_qf; ${set}; echo here $((1 + 1))\r`,
  );
  const lines: [typed: string, line: string][] = [
    ["qf gro\tupd\tDev\t--pe\t", "qf group update Developers --peers"],
    ["qf user update --groups=Dev\t", "qf user update --groups=Developers"],
    ["qf ssh -o ExitOn\t", "qf ssh -o ExitOnForwardFailure="],
    ["qf policy apply site-fun\t", "qf policy apply site-functions"],
  ];
  try {
    await zsh.expect(/here 2/, WAIT_MS_MAX);
    for (const [typed, line] of lines) {
      // To the line's beginning, where it becomes what a command prints.
      zsh.type(`${typed}\u0001print -r -- \r`);
      await zsh.expect(new RegExp(`\n${line}\r?\n`), WAIT_MS_MAX);
    }
    check("zsh completes commands, flags, names and files", true);
  } catch (error) {
    check("zsh completes commands, flags, names and files", false, String(error));
  }
  zsh.process.kill("SIGKILL");
  await zsh.process.exited;
}

function inFish(
  input: { readonly home: string; readonly env: Record<string, string>; readonly executable: string },
  check: Check,
): void {
  const folder = join(input.home, ".config/fish/completions");
  mkdirSync(folder, { recursive: true });
  const script = Bun.spawnSync([input.executable, "completion", "fish"]).stdout;
  for (const name of ["qf.fish", "qufabric.fish"]) writeFileSync(join(folder, name), script);
  const lines: [typed: string, first: string][] = [
    ["qf group upd", "update\tchange its name or peers"],
    ["qufabric group upd", "update\tchange its name or peers"],
    ["qf group update Dev", "Developers"],
    ["qf user update x --groups=Dev", "--groups=Developers"],
    ["qf ssh -o ExitOn", "ExitOnForwardFailure="],
    ["qf policy apply /etc/host.c", "/etc/host.conf"],
  ];
  for (const [typed, first] of lines) {
    const { stdout } = Bun.spawnSync(["fish", "-c", `complete -C ${JSON.stringify(typed)}`], {
      env: input.env,
      cwd: input.home,
    });
    check(`fish: ${typed}`, stdout.toString().split("\n")[0] === first, stdout.toString());
  }
}
