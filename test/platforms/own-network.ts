/** A whole QuFabric inside one root file system: its own management, agent and client. */
import { OWNER } from "../support/lab.ts";
import type { Guest } from "./guest.ts";

/** Prints a word for each thing that holds. */
const SCRIPT = `
set -u
export QF_CONFIG_DIR=/root/own QF_NO_BROWSER=1
said() { echo "== $1"; }
value() { sed -n 's/.*"'"$1"'": *"\\([^"]*\\)".*/\\1/p' | head -n 1; }
printf '%s\\n' "$OWNER_PASSWORD" |
  qf management init --data-dir /var/lib/own --owner-email "$OWNER_EMAIL" --owner-password-stdin \\
    >/root/init.json && said init
qf management serve --data-dir /var/lib/own --listen 127.0.0.1:0 >/root/serve.json 2>/root/serve.log &
serve=$!
for i in $(seq 240); do [ -s /root/serve.json ] && break; sleep 0.5; done
QF_MANAGEMENT_URL=$(value url </root/serve.json)
QF_TOKEN=$(value token </root/init.json)
export QF_MANAGEMENT_URL QF_TOKEN
[ -n "$QF_MANAGEMENT_URL" ] && said serve
qf group create Bots && qf group create Servers && qf user create bot --service --groups Bots && said groups
key=$(qf setup-key create servers --groups Servers --reusable --json | value key)
qf policy create bots --sources Bots --destinations Servers --authorized-groups Bots=deploy && said policy
bot=$(qf token create bot --user bot --scope ssh --json | value plain_token)
QF_SETUP_KEY=$key qf agent up --management-url "$QF_MANAGEMENT_URL" --state-dir /var/lib/own-agent \\
  --allow-server-ssh --name own1 --listen 127.0.0.1:0 && said agent
[ "$(QF_TOKEN=$bot qf ssh -o ConnectTimeout=60 deploy@own1 'id -un')" = deploy ] && said login
QF_TOKEN=$bot qf ssh -o ConnectTimeout=60 root@own1 true 2>/root/refused || said refusal
qf audit list --limit 20 | grep -q own1 && said audit
qf agent down --uninstall --state-dir /var/lib/own-agent && said down
kill "$serve" && wait "$serve"
said end
`;

export const OWN_NETWORK_WORDS = [
  ...["init", "serve", "groups", "policy", "agent", "login", "refusal", "audit", "down", "end"],
] as const;

/** What was said, and all that was printed. */
export async function ownNetwork(guest: Guest): Promise<{ words: ReadonlySet<string>; text: string }> {
  const env = { OWNER_EMAIL: OWNER.email, OWNER_PASSWORD: OWNER.password };
  const { stdout, stderr } = await guest.run(["sh", "-c", SCRIPT], env);
  const words = [...stdout.matchAll(/^== (\S+)\r?$/gm)].map(([, word = ""]) => word);
  const logs = await guest.run(["tail", "-n", "20", "/root/serve.log", "/root/refused"]);
  return { words: new Set(words), text: `${stdout}${stderr}${logs.stdout}` };
}
