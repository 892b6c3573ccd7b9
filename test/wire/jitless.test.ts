import { afterEach, expect, test } from "bun:test";
import { config, z } from "zod";
import { parseWithoutCompiling } from "../../src/wire/jitless.ts";

afterEach(() => {
  config({ jitless: false });
});

test("shapes made after it refuse and take the same, and nothing is compiled for them", () => {
  const compile = globalThis.Function;
  let compiled = 0;
  parseWithoutCompiling();
  globalThis.Function = new Proxy(compile, {
    construct(target, args) {
      compiled += 1;
      return Reflect.construct(target, args) as object;
    },
  });
  try {
    const shape = z.strictObject({ port: z.int().min(1) });
    expect(shape.safeParse({ port: 22 }).success).toBe(true);
    expect(shape.safeParse({ port: 0 }).success).toBe(false);
    expect(shape.safeParse({ port: 22, more: 1 }).success).toBe(false);
  } finally {
    globalThis.Function = compile;
  }
  expect(compiled).toBe(0);
});
