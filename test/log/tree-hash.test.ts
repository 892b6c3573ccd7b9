import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { emptyRoot, isSameHash, largestPowerBelow, leafHash, treeHash } from "../../src/log/tree-hash.ts";

test("the roots of few leaves are those of the RFC's definition", () => {
  const hash = (...parts: (string | Uint8Array)[]) => {
    const digest = createHash("sha256");
    for (const part of parts) digest.update(part);
    return digest.digest();
  };
  const [a, b, c] = ["a", "b", "c"].map((text) => hash(Uint8Array.of(0), text)) as [Buffer, Buffer, Buffer];
  expect(emptyRoot().toString("hex")).toBe(hash().toString("hex"));
  expect(leafHash("a")).toEqual(a);
  expect(treeHash([a, b, c])).toEqual(hash(Uint8Array.of(1), hash(Uint8Array.of(1), a, b), c));
});

test("a split is at the largest power of two below the count", () => {
  expect([2, 3, 4, 5, 8, 9].map(largestPowerBelow)).toEqual([1, 2, 2, 4, 4, 8]);
});

test("a leaf and a node of the same bytes have different hashes", () => {
  const [left, right] = [leafHash("a"), leafHash("b")];
  expect(isSameHash(leafHash(Buffer.concat([left, right])), treeHash([left, right]))).toBe(false);
});
