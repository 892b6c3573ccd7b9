import { expect, test } from "bun:test";
import { createCLibrary, openCLibrary } from "../../src/base/c-library.ts";

const getpid = { getpid: { args: [], returns: "i32" } } as const;

test("openCLibrary calls this system's C library", () => {
  expect(openCLibrary(getpid)?.getpid()).toBe(process.pid);
});

test("openCLibrary has nothing where one of the calls is not there", () => {
  expect(openCLibrary({ ...getpid, no_such_call_of_ours: { args: [], returns: "i32" } })).toBeUndefined();
});

test("createCLibrary opens once, at the first call", () => {
  const libc = createCLibrary(getpid);
  expect(libc()).toBe(libc());
  expect(libc().getpid()).toBe(process.pid);
});

test("createCLibrary fails at the call and not before, by default with ERR_UNAVAILABLE", () => {
  const missing = { no_such_call_of_ours: { args: [], returns: "i32" } } as const;
  const libc = createCLibrary(missing);
  expect(() => libc()).toThrow(expect.objectContaining({ code: "ERR_UNAVAILABLE" }));
  const other = createCLibrary(missing, () => new RangeError("of the caller"));
  expect(() => other()).toThrow(RangeError);
});
