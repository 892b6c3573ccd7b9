import { expect, test } from "bun:test";
import { sentEnvironment } from "../../src/ssh/environment.ts";

const here = { LANG: "C", LC_ALL: "C", HOME: "/root", FOO: "1", FOO_BAR: "2", QF_TOKEN: "secret" };

test.each<[name: string, sendEnv: string[], setEnv: Record<string, string>, want: Record<string, string>]>([
  ["the locale by default", [], {}, { LANG: "C", LC_ALL: "C" }],
  ["what a pattern names", ["FOO*"], {}, { LANG: "C", LC_ALL: "C", FOO: "1", FOO_BAR: "2" }],
  ["not what a pattern takes back", ["FOO?BAR", "-LC_*"], {}, { LANG: "C", FOO_BAR: "2" }],
  ["what is set, before what is here", [], { LANG: "de", X: "y" }, { LANG: "de", LC_ALL: "C", X: "y" }],
  ["never a token", ["*", "-HOME"], {}, { LANG: "C", LC_ALL: "C", FOO: "1", FOO_BAR: "2" }],
])("sentEnvironment sends %s", (_name, sendEnv, setEnv, want) => {
  expect(sentEnvironment(here, { sendEnv, setEnv })).toEqual(want);
});
