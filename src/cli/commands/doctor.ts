import { existsSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../../base/printable.ts";
import { checkClient } from "../../client/check-client.ts";
import { DoctorReport, FINDING_AREAS, type Finding } from "../../wire/finding.ts";
import { PROVIDER_FILE } from "../../wire/provider-file.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { parseUrl } from "../parse.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";
const AREA_WIDTH = Math.max(...FINDING_AREAS.map((area) => area.length));

export const doctor = command(
  `
Find problems on this machine and say how to fix them. Checks your configuration, management, clock, login
and device, the OpenSSH configuration, and this machine's agent and what it needs; on the management host,
also the identity provider as management uses it. Changes nothing and signs nobody in.

usage: qf doctor [--json] [--management-url URL] [--state-dir DIR] [--data-dir DIR]

options:
  --json                print {healthy, findings: [{area, code, status, message, fix}]} as JSON
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --state-dir DIR       the agent's state folder (default: as for qf agent up)
  --data-dir DIR        management's data folder: also check its identity provider (default:
                        ${DATA_DIR_DEFAULT}, if it exists)

Prints one line for each finding: ok, note (worth knowing, but not wrong) or problem, with what to do
about it. Exit status: 0 if there is no problem, otherwise 1.

examples:
  qf doctor
  qf doctor --json --state-dir /var/lib/qufabric
  qf doctor --data-dir ${DATA_DIR_DEFAULT}
`,
  {
    args: {
      json: { type: "boolean" },
      "management-url": { type: "string" },
      "state-dir": { type: "string" },
      "data-dir": { type: "string" },
    },
    async run({ args }) {
      const url = args["management-url"];
      const managementUrl = url === undefined ? undefined : parseUrl("management-url", url);
      const environment = process.env;
      const [{ checkAgent }, { checkSsh }] = await Promise.all([
        import("../../agent/status/check-agent.ts"),
        import("../../proxy/ssh-config/check-ssh.ts"),
      ]);
      const agent = checkAgent({ stateDir: args["state-dir"], environment });
      const client = await checkClient({ environment, managementUrl });
      const ssh = await checkSsh({ environment, domain: client.domain });
      const provider = await checkProviderHere(args["data-dir"]);
      const findings = inOrder([...client.findings, ...provider, ...ssh, ...(await agent)]);
      const report: DoctorReport = {
        healthy: findings.every(({ status }) => status !== "problem"),
        findings,
      };
      if (args.json === true) await printJson(DoctorReport.parse(report));
      else await print(findings.map(line).join(""));
      return report.healthy ? 0 : 1;
    },
  },
);

/** Checks the provider if this is management's host, else finds nothing. */
async function checkProviderHere(dataDir: string | undefined): Promise<Finding[]> {
  const folder = dataDir ?? DATA_DIR_DEFAULT;
  if (dataDir === undefined && !existsSync(join(folder, PROVIDER_FILE))) return [];
  const { checkProvider } = await import("../../management/idp/check-provider.ts");
  return checkProvider(folder);
}

function inOrder(findings: readonly Finding[]): Finding[] {
  return FINDING_AREAS.flatMap((area) => findings.filter((finding) => finding.area === area));
}

function line({ status, area, message, fix }: Finding): string {
  const text = fix === null ? message : `${message}; fix: ${fix}`;
  return `${printable(`${status.padEnd(7)}  ${area.padEnd(AREA_WIDTH)}  ${text}`)}\n`;
}
