import { expect, test } from "bun:test";
import { platformFor } from "../../src/base/platform/platform.ts";
import { clientStateDirs, DEFAULT_STATE_DIR, defaultStateDir } from "../../src/base/state-dir.ts";

test.each([
  { uid: 0, env: { XDG_STATE_HOME: "/s", HOME: "/h" }, want: DEFAULT_STATE_DIR },
  { uid: 1000, env: { XDG_STATE_HOME: "/s", HOME: "/h" }, want: "/s/qufabric" },
  { uid: 1000, env: { HOME: "/h" }, want: "/h/.local/state/qufabric" },
])("an agent of uid $uid with $env keeps its state in $want", ({ uid, env, want }) => {
  expect(defaultStateDir(uid, env)).toBe(want);
});

test.each([
  {
    name: "what is meant for clients alone",
    uid: 0,
    env: { QF_AGENT_STATE_DIR: "/c", QF_STATE_DIR: "/a" },
    want: ["/c"],
  },
  {
    name: "what is meant for the agent too",
    uid: 1000,
    env: { QF_STATE_DIR: "/a", HOME: "/h" },
    want: ["/a"],
  },
  {
    name: "the machine's agent, then its own",
    uid: 1000,
    env: { HOME: "/h" },
    want: [DEFAULT_STATE_DIR, "/h/.local/state/qufabric"],
  },
  { name: "as root, the machine's agent", uid: 0, env: { HOME: "/h" }, want: [DEFAULT_STATE_DIR] },
])("a client looks for $name", ({ uid, env, want }) => {
  expect<readonly string[]>(clientStateDirs(uid, env)).toEqual(want);
});

test.each(["darwin", "win32"])("no agent is looked for on %s, whose folder could be anybody's", (name) => {
  const on = platformFor(name);
  expect(clientStateDirs(1_000, { HOME: "/home/ada" }, on)).toEqual([]);
  expect(clientStateDirs(1_000, { HOME: "/home/ada", QF_AGENT_STATE_DIR: "/srv/qf" }, on)).toEqual([
    "/srv/qf",
  ]);
});
