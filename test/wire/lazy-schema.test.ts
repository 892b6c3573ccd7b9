import { expect, test } from "bun:test";
import { z } from "zod";
import { lazySchema } from "../../src/wire/lazy-schema.ts";

function counted<T extends object>(make: () => T): { readonly shape: T; readonly made: () => number } {
  let count = 0;
  const shape = lazySchema(() => {
    count += 1;
    return make();
  });
  return { shape, made: () => count };
}

test("a shape is made when something is first read by it, and once", () => {
  const { shape, made } = counted(() => z.strictObject({ a: z.number() }));
  const outer = counted(() => z.object({ inner: shape }));
  expect([made(), outer.made()]).toEqual([0, 0]);
  expect(outer.shape.parse({ inner: { a: 1 } })).toEqual({ inner: { a: 1 } });
  expect(outer.shape.safeParse({ inner: { a: 1, b: 2 } }).success).toBe(false);
  expect([made(), outer.made()]).toEqual([1, 1]);
});

test("a shape that is made late does all that another does", () => {
  const A = lazySchema(() => z.object({ kind: z.literal("a"), n: z.number() }));
  const B = lazySchema(() => z.object({ kind: z.literal("b") }));
  const Either = lazySchema(() => z.discriminatedUnion("kind", [A, B]));
  expect(Either.parse({ kind: "b" })).toEqual({ kind: "b" });
  expect(Either.safeParse({ kind: "c" }).success).toBe(false);
  expect(A.extend({ m: z.string() }).safeParse({ kind: "a", n: 1 }).success).toBe(false);
  expect(z.array(A.optional()).parse([undefined])).toEqual([undefined]);
  expect(Either.toJSONSchema({ io: "input" })).toMatchObject({
    oneOf: [{ properties: { kind: { const: "a" } } }, { properties: { kind: { const: "b" } } }],
  });
});

test("what cannot be made throws each time it is asked for", () => {
  const { shape, made } = counted<{ a: number }>(() => {
    throw new Error("no");
  });
  expect(() => shape.a).toThrow("no");
  expect(() => shape.a).toThrow("no");
  expect(made()).toBe(2);
});
