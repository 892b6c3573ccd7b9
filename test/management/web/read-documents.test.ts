import { expect, test } from "bun:test";
import { readDocuments } from "../../../src/management/web/read-documents.ts";

test("the documents are those that people who run QuFabric read, and none about its source", () => {
  const paths = Object.keys(readDocuments());
  expect(paths).toContain("README.md");
  expect(paths).toContain("docs/providers/README.md");
  expect(paths.filter((path) => !/^(?:docs\/|[A-Z]+\.md$)/.test(path))).toEqual([]);
  expect(paths).not.toContain("CONTRIBUTING.md");
});
