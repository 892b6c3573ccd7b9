/** What a rule may say of forwards and variables: nothing that could never take effect. */
import { expect, test } from "bun:test";
import { PolicyRuleWrite, type SshCapabilities } from "../../src/wire/policy.ts";

function faultsOf(ssh: SshCapabilities): string[] {
  const rule = { name: "r", enabled: true, action: "accept", protocol: "qufabric-ssh", bidirectional: false };
  const parsed = PolicyRuleWrite.safeParse({ ...rule, sources: [], destinations: [], ssh });
  return parsed.error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`) ?? [];
}

const NO_PORT = "names no port: 1 to 65535, or * for any";

test.each<[ssh: SshCapabilities, faults: string[]]>([
  [{ local_forward: ["db:5432", "*:*", "[fd00::1]:65535", "10.0.0.1:1"] }, []],
  [{ remote_forward: ["localhost:*", "[::1]:8080"] }, []],
  // -R at port 0 comes to a port of the machine's choice, which this would never be.
  [{ remote_forward: ["localhost:0"] }, [`ssh.remote_forward.0 ${NO_PORT}`]],
  [{ local_forward: ["db:5432", "db:65536"] }, [`ssh.local_forward.1 ${NO_PORT}`]],
  [{ local_forward: ["*:99999"] }, [`ssh.local_forward.0 ${NO_PORT}`]],
  [{ local_forward: ["[fd00::1::2]:80"] }, ["ssh.local_forward.0 names no IPv6 address"]],
  [{ local_forward: ["[10.0.0.1]:80"] }, ["ssh.local_forward.0 names no IPv6 address"]],
  [{ env: ["GIT_*", "LANG"] }, []],
  [{ env: ["LD_*"] }, ["ssh.env.0 names a variable that is never taken from a client"]],
  [{ env: ["PATH"] }, ["ssh.env.0 names a variable that is never taken from a client"]],
])("%j has the faults %j", (ssh, faults) => {
  expect(faultsOf(ssh)).toEqual(faults);
});
