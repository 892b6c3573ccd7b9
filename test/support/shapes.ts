/** Rows for tests of shapes: a value that parses, and changes each of which makes it one that does not. */
import { expect, test } from "bun:test";

interface Shape {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown };
}

/** `undefined` as a change takes the field away. */
export type Change = Readonly<Record<string, unknown>>;

/**
 * `shape` takes `value` as it is, and refuses it with each of `changes` made to it. `strict`: an unknown
 * field is refused as well; otherwise it is dropped.
 */
export function testShape(
  name: string,
  shape: Shape,
  value: Readonly<Record<string, unknown>>,
  { changes, strict = true }: { readonly changes: readonly Change[]; readonly strict?: boolean },
): void {
  test(`${name} is taken as it is written`, () => {
    expect(shape.safeParse(value)).toMatchObject({ success: true, data: value });
  });
  test(`${name} with an unknown field is ${strict ? "refused" : "read without it"}`, () => {
    const outcome = shape.safeParse({ ...value, surprise: 1 });
    expect(outcome.success).toBe(!strict);
    if (outcome.success) expect(outcome.data).not.toHaveProperty("surprise");
  });
  test.each(
    changes.map((change) => [JSON.stringify(change, (_, v) => v ?? "(absent)").slice(0, 80), change]),
  )(`${name} is refused with %s`, (_, change) => {
    const changed: Record<string, unknown> = { ...value, ...(change as Change) };
    for (const key of Object.keys(changed)) if (changed[key] === undefined) delete changed[key];
    expect(shape.safeParse(changed).success).toBe(false);
  });
}
