import { afterEach, expect, spyOn, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import { printable, printableLines } from "../../src/base/printable.ts";
import { renderTable } from "../../src/cli/output.ts";
import { reportError } from "../../src/cli/report.ts";

afterEach(() => {
  delete process.env.QF_DEBUG;
});

/** What `error` makes on stderr, and its exit status. */
function report(error: unknown): { status: number; text: string } {
  let text = "";
  const spy = spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    return { status: reportError(error), text };
  } finally {
    spy.mockRestore();
  }
}

test("a failure is an error line, a hint line, and the status of its code", () => {
  expect(report(new QfError("ERR_ACCESS_DENIED", "no", { hint: "ask" }))).toEqual({
    status: 255,
    text: "qf: error: no\nqf: hint: ask\n",
  });
  expect(report(new QfError("ERR_USAGE", "what"))).toEqual({ status: 2, text: "qf: error: what\n" });
});

test("a cause is not shown, unless QF_DEBUG asks for it", () => {
  const error = new QfError("ERR_UNAVAILABLE", "no", { cause: new Error("inner secret") });
  expect(report(error).text).toBe("qf: error: no\n");
  process.env.QF_DEBUG = "1";
  expect(report(error).text).toContain("inner secret");
});

test("something unexpected is one line with a code, without a stack", () => {
  const { status, text } = report(new TypeError("x is not a function\n    at y"));
  expect(status).toBe(1);
  expect(text.split("\n")).toEqual([
    "qf: error: something unexpected happened (ERR_INTERNAL): TypeError: x is not a function",
    "qf: hint: set QF_DEBUG=1 to see where, and report it",
    "",
  ]);
});

test("what is said cannot drive a terminal", () => {
  expect(report(new QfError("ERR_SSH", "a\u001b[2Jb\nc\u202ed")).text).toBe("qf: error: a [2Jb c d\n");
  expect(printable(" \u0007x\u0085y ")).toBe("x y");
  expect(printableLines("a\u001b]0;t\u0007b\r\nc\n")).toBe("a ]0;t b\nc\n");
});

test("a table has columns as wide as their widest cell, and no control characters", () => {
  const rows = [
    ["1", "a\nlonger name", "x"],
    ["22", "", "y"],
  ];
  expect(renderTable(["ID", "NAME", "LAST"], rows)).toBe(
    "ID  NAME           LAST\n1   a longer name  x\n22  -              y\n",
  );
});

test("what the system refuses names the file and the reason, and asks for no report", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
    syscall: "write",
    path: "/x/agent.json",
  });
  expect(report(full)).toEqual({
    status: 1,
    text: "qf: error: /x/agent.json: the disk is full (write)\nqf: hint: make room, then try again\n",
  });
  const folder = Object.assign(new Error("EISDIR"), { code: "EISDIR", syscall: "read" });
  expect(report(folder).text).toBe("qf: error: a file: a folder, not a file (read)\n");
});
