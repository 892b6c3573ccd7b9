/**
 * What is known against ssh2, and against libraries like it: fixed in the version that we have, or kept away
 * by our guard, with the test that shows it. A new advisory is a row here before it is anything else.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import ssh2 from "ssh2";
import { patched } from "../../src/sshcore/patched-ssh2.ts";

const ROOT = resolve(import.meta.dir, "../..");
const manifest = (path: string) => JSON.parse(readFileSync(resolve(ROOT, path), "utf8"));

interface Advisory {
  readonly id: string;
  readonly what: string;
  /** First version of ssh2 without it. Null: of another library; ssh2 may have the same fault. */
  readonly fixedIn: string | null;
  /** File and title, or a part of it, of what shows that it does not happen here. */
  readonly shownBy: readonly [file: string, title: string];
}

const PREAUTH = "test/sshcore/preauth.test.ts";
const BOUNDS = "test/sshcore/auth-bounds.test.ts";
const CHANNELS = "test/sshcore/channel-bounds.test.ts";
const ADVISORIES: readonly Advisory[] = [
  {
    id: "CVE-2020-26301",
    what: "a command from an agent's name, on Windows",
    fixedIn: "1.4.0",
    shownBy: ["test/security/server-text.test.ts", "starts a program"],
  },
  {
    id: "CVE-2023-48795",
    what: "Terrapin: messages cut off at the start of a connection",
    fixedIn: "1.15.0",
    shownBy: ["test/sshcore/guard.test.ts", "leaves a server that does no strict key exchange"],
  },
  {
    id: "CVE-2018-10933",
    what: "libssh: a client says that it is signed in",
    fixedIn: null,
    shownBy: [PREAUTH, "every message out of its place ends the connection"],
  },
  {
    id: "CVE-2025-32433",
    what: "Erlang: messages of channels before anybody is signed in",
    fixedIn: null,
    shownBy: [PREAUTH, "every message out of its place ends the connection"],
  },
  {
    id: "CVE-2023-46446",
    what: "AsyncSSH: a second sign-in after the first",
    fixedIn: null,
    shownBy: [CHANNELS, "requests to sign in are ignored in silence"],
  },
  {
    id: "CVE-2002-20001",
    what: "DHEat: key exchanges without end",
    fixedIn: null,
    shownBy: ["test/sshcore/rekey.test.ts", ""],
  },
  {
    id: "CVE-2025-26466",
    what: "OpenSSH: pings that fill memory before a reply is read",
    fixedIn: null,
    shownBy: [CHANNELS, "while a client pings and never reads"],
  },
  {
    id: "CVE-2026-48110",
    what: "russh: channels refused without end",
    fixedIn: null,
    shownBy: [CHANNELS, "while channels are opened and refused without end"],
  },
  {
    id: "CVE-2025-22869",
    what: "x/crypto: a peer that is slow with a key exchange fills memory",
    fixedIn: null,
    shownBy: [BOUNDS, "a sign-in that takes longer than the grace time"],
  },
  {
    id: "CVE-2026-73429",
    what: "russh: a maximum packet size of 0",
    fixedIn: null,
    shownBy: [CHANNELS, "a channel with packets of no or next to no size is refused"],
  },
  {
    id: "CVE-2024-45337",
    what: "x/crypto: a decision about a key that was only offered",
    fixedIn: null,
    shownBy: ["test/agent/ssh-server/proof.test.ts", ""],
  },
];

describe("an advisory", () => {
  test.each(ADVISORIES.filter(({ fixedIn }) => fixedIn !== null))(
    "$id is fixed in the ssh2 that we have",
    ({ fixedIn }) => {
      const { version } = manifest("node_modules/ssh2/package.json");
      expect(Bun.semver.order(version, fixedIn ?? "")).toBeGreaterThanOrEqual(0);
    },
  );

  test.each([...ADVISORIES])("$id ($what) has a test that shows it here", ({ shownBy: [file, title] }) => {
    expect(readFileSync(resolve(ROOT, file), "utf8")).toContain(title);
  });
});

describe("ssh2", () => {
  test("is pinned to the one version that our patch is for", () => {
    const { dependencies, patchedDependencies } = manifest("package.json");
    expect(dependencies.ssh2).toBe(manifest("node_modules/ssh2/package.json").version);
    expect(Object.keys(patchedDependencies)).toContain(`ssh2@${dependencies.ssh2}`);
  });

  test("without our patch is refused before anything of it is used", () => {
    const bare = { _protocol: {}, _sock: {}, _chanMgr: { _channels: {} } };
    expect(() => patched(bare)).toThrow("our patch");
    const client = new ssh2.Client();
    expect(() => patched(client)).toThrow();
  });
});
