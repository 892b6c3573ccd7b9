import { expect, test } from "bun:test";
import { replyLines } from "../../../src/cli/completion/reply.ts";

const namesOf = async () => ["web1"];

test.each<[args: string[], lines: string[]]>([
  [
    ["bash", "=@", "qf peer delete w"],
    ["only", "web1"],
  ],
  [
    ["bash", "=@", "qf group update --peers=w"],
    ["only", "web1"],
  ],
  [
    ["fish", "peer", "delete", "w"],
    ["only", "web1"],
  ],
  [
    ["zsh", "peer", "del"],
    ["only", "delete\tdelete a peer"],
  ],
  [["zsh", "policy", "apply", ""], ["files"]],
  [
    ["fish", "policy", "create", "x", "--authorized-groups", ""],
    ["nospace", "web1="],
  ],
  [["bash", "=", ""], ["only"]],
])("%j is answered", async (args, lines) => {
  expect((await replyLines(args, namesOf)).slice(0, lines.length)).toEqual(lines);
});
