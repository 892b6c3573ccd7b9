import { expect, test } from "bun:test";
import { dependencies } from "../../package.json";
import { productionPackages, sbomText } from "../../packaging/sbom.ts";

const DATE = "2026-11-30T12:00:00Z";
const document = JSON.parse(sbomText("1.2.3", DATE));

test("every package that the executable is made of is named, with its digest and its licence", () => {
  const names = document.components.map(({ name }: { name: string }) => name);
  expect(Object.keys(dependencies).filter((name) => !names.includes(name))).toEqual([]);
  expect(names).toContain("bun");
  expect(names).toContain("koa");
  expect(names).not.toContain("typescript");
  for (const component of document.components) {
    expect([component.name, component.licenses?.length]).toEqual([component.name, 1]);
    if (component.name !== "bun") expect(component.hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
  }
});

test("what depends on what leads to components that are there", () => {
  const refs = new Set([document.metadata.component, ...document.components].map((one) => one["bom-ref"]));
  const named = document.dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [
    ref,
    ...dependsOn,
  ]);
  expect(named.filter((ref: string) => !refs.has(ref))).toEqual([]);
  expect(productionPackages().size + 1).toBe(document.components.length);
});

test("it is the same text for the same release, and has another number for another", () => {
  expect(sbomText("1.2.3", DATE)).toBe(sbomText("1.2.3", DATE));
  expect(JSON.parse(sbomText("1.2.4", DATE)).serialNumber).not.toBe(document.serialNumber);
  expect(document.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
