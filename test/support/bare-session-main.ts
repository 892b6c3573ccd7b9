/**
 * One session of the account in argv through a monitor, on a machine as it is; prints what its program says.
 */
import { openMonitor } from "../../src/agent/os/monitor.ts";
import { hasPam } from "../../src/agent/os/pam.ts";
import { spawnAs } from "../../src/agent/os/spawn.ts";
import { lookUpAccount } from "../../src/agent/os/users.ts";

const [name = ""] = process.argv.slice(2);
const account = await lookUpAccount(name, 0);
if (account === null) throw new Error(`no account ${name}`);
const monitor = await openMonitor();
const code = hasPam() ? (await monitor.checkAccount(name, "127.0.0.1")).code : "no PAM";
const child = await spawnAs({
  pty: null,
  contain: async () => {},
  launch: monitor.launchFor({ remoteHost: "127.0.0.1", terminal: null, isInteractive: false }),
  spec: {
    ...{ user: name, uid: account.uid, gid: account.gid, drop: true, tty: false, home: account.home },
    ...{ file: account.shell, argv: ["sh", "-c", "id -un; pwd"], env: { PATH: "/usr/bin:/bin" } },
  },
});
const parts: Uint8Array[] = [];
for (let data = await child.stdout.read(); data !== null; data = await child.stdout.read()) parts.push(data);
const { status } = await child.exited;
process.stdout.write(`${code} ${status}\n${Buffer.concat(parts).toString()}`);
