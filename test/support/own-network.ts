/**
 * A test file in a network namespace, and with an /etc/hosts, of its own: it runs itself again in there.
 *
 * The loopback is up, and there is nothing else.
 */
import { describe, expect, test } from "bun:test";
import { isRoot } from "./os-accounts.ts";

const INSIDE = "QF_TEST_OWN_NETWORK";
/** Whether this process is in there. */
const isInOwnNetwork = process.env[INSIDE] === "1";

const SET_UP = `
ip link set lo up
hosts=$(mktemp) && cp /etc/hosts "$hosts" && chmod 644 "$hosts" && mount --bind "$hosts" /etc/hosts
"$@"
status=$?
umount /etc/hosts; rm -f "$hosts"
exit $status`;

/** Whether this machine lets us have one. */
const canHave =
  isRoot && Bun.spawnSync(["unshare", "--net", "--mount", "true"], { stderr: "ignore" }).exitCode === 0;

/** `tests` are there inside only; outside one test stands for all of `file`. */
export function describeInOwnNetwork(file: string, what: string, tests: () => void): void {
  if (isInOwnNetwork) describe(what, tests);
  else runInOwnNetwork(file);
}

function runInOwnNetwork(file: string): void {
  test.skipIf(!canHave)(
    "passes in a network of its own",
    async () => {
      const inside = [process.execPath, "test", "--timeout", "60000", file];
      const child = Bun.spawn(["unshare", "--net", "--mount", "sh", "-c", SET_UP, "sh", ...inside], {
        env: { ...process.env, [INSIDE]: "1" },
        stdout: "pipe",
        stderr: "pipe",
      });
      const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      expect({ status: await child.exited, said: said.join("").slice(-6_000) }).toMatchObject({ status: 0 });
    },
    180_000,
  );
}
