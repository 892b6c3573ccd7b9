import { describe, expect, test } from "bun:test";
import { NOUNS, SINGLE } from "../../../src/cli/commands.ts";
import { complete } from "../../../src/cli/completion/complete.ts";
import type { NameKind, NamesOf } from "../../../src/cli/completion/values.ts";

const NAMES: Readonly<Record<NameKind, readonly string[]>> = {
  machine: ["db1", "web1"],
  peer: ["ada-laptop", "web1"],
  group: ["All", "Developers"],
  user: ["ada@example.com"],
  "local-user": ["deploy"],
  policy: ["nightly"],
  check: ["recent"],
};
const namesOf: NamesOf = async (kind) => NAMES[kind];

async function after(...words: string[]): Promise<string[]> {
  return (await complete(words, namesOf)).candidates.map(({ word }) => word);
}

test("the first word is any command, each with what it is for", async () => {
  const { candidates } = await complete([""], namesOf);
  const words = candidates.map(({ word }) => word);
  for (const name of [...Object.keys(NOUNS), ...Object.keys(SINGLE), "ssh", "proxy", "up"]) {
    expect(words).toContain(name);
  }
  expect(new Set(words).size).toBe(words.length);
  expect(candidates.filter(({ about }) => !about)).toEqual([]);
});

test.each(Object.entries(NOUNS))("after %s come its verbs", async (noun, { verbs }) => {
  expect(await after(noun, "")).toEqual(Object.keys(verbs));
});

describe("the word that is being typed", () => {
  test.each<[line: string, words: string[]]>([
    ["pol", ["policy"]],
    ["policy cr", ["create"]],
    ["help pos", ["posture-check"]],
    ["help policy dif", ["diff"]],
    ["help policy diff ", []],
    ["nothing ", []],
    ["policy nothing ", []],
    ["up --allow-s", ["--allow-server-ssh"]],
    ["agent up --no-s", []],
    ["user update ", ["ada@example.com"]],
    ["user update ada@example.com --ro", ["--role"]],
    ["group update D", ["Developers"]],
    ["group update Developers --peers ", ["ada-laptop", "web1"]],
    ["group update Developers --peers web1,a", ["web1,ada-laptop"]],
    ["group update Developers --peers=web1,", ["--peers=web1,ada-laptop", "--peers=web1,web1"]],
    ["policy create p --action d", ["drop"]],
    ["policy create p --action=a", ["--action=accept"]],
    ["policy create p --authorized-groups De", ["Developers="]],
    ["policy create p --authorized-groups Developers=", []],
    ["policy create p --disabled --di", []],
    ["policy create p --sources A --sources D", ["Developers"]],
    ["peer update web1 --ssh=", ["--ssh=true", "--ssh=false"]],
    ["session list --as ", ["deploy"]],
    ["policy delete n", ["nightly"]],
    ["posture-check update ", ["recent"]],
    ["management rotate ", ["log-key"]],
    ["completion ", ["bash", "zsh", "fish", "man"]],
    ["ping w", ["web1"]],
    ["ping -- --", []],
    ["ssh w", ["web1"]],
    ["ssh deploy@d", ["deploy@db1"]],
    ["ssh -l ", ["deploy"]],
    ["ssh -J d", ["db1"]],
    ["ssh -p 22 -vN w", ["web1"]],
    ["ssh -vL ", []],
    ["ssh -vL 1:a:2 w", ["web1"]],
    ["ssh -o Server", ["ServerAliveCountMax=", "ServerAliveInterval="]],
    ["ssh --no", ["--no-browser"]],
    ["ssh web1 ", []],
    ["ssh web1 -", []],
    ["proxy c", ["connect"]],
    ["proxy connect --f", ["--fdpass"]],
    ["proxy connect w", ["web1"]],
    ["proxy match --f", []],
  ])("qf %s", async (line, words) => {
    expect(await after(...line.split(" "))).toEqual(words);
  });

  test.each([
    ["policy apply ", true],
    ["policy get --out ", true],
    ["agent status --state-dir ", true],
    ["proxy socks --config-dir ", true],
    ["policy create ", false],
    ["ssh -L ", false],
    ["group update ", false],
  ])("qf %s may be a file: %p", async (line, files) => {
    expect((await complete(line.split(" "), namesOf)).files).toBe(files);
  });
});

test("where nothing but flags can follow, they are shown", async () => {
  expect(await after("user", "list", "")).toEqual(["--management-url", "--json", "--help"]);
});
