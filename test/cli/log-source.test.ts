import { expect, test } from "bun:test";
import type { Admin } from "../../src/cli/admin.ts";
import { fetchEntries } from "../../src/cli/log-source.ts";

/** An API that gives at most `most` lines at a time, of `size`. */
function anAdmin(size: number, most: number): { admin: Admin; asked: string[] } {
  const asked: string[] = [];
  const request = async (_method: string, path: string) => {
    asked.push(path);
    const query = new URL(path, "http://localhost").searchParams;
    const after = Number(query.get("after_seq"));
    const count = Math.max(0, Math.min(Number(query.get("limit")), most, size - after));
    return { value: Array.from({ length: count }, (_, i) => ({ seq: after + 1 + i, line: "" })), text: "" };
  };
  return { admin: { request } as unknown as Admin, asked };
}

test("entries come page by page, from the first through the last", async () => {
  const { admin } = anAdmin(5_000, 700);
  const pages = await Array.fromAsync(fetchEntries(admin, { first: 11, last: 4_000 }));
  expect(pages.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: 3_990 }, (_, i) => i + 11));
});

test("a server that has no more ends it, without asking for ever", async () => {
  const { admin, asked } = anAdmin(20, 10);
  expect((await Array.fromAsync(fetchEntries(admin, { first: 1, last: 100 }))).flat()).toHaveLength(20);
  expect(asked).toHaveLength(3);
});
