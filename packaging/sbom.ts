/**
 * The bill of materials of a release, CycloneDX 1.6: every package that is in the executable, and the runtime.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { RUNTIME_VERSION } from "./targets.ts";

const ROOT = resolve(import.meta.dir, "..");

interface Locked {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly integrity: string;
}

/** The document, with line breaks. The same for the same lock file, version and date. */
export function sbomText(version: string, date: string): string {
  const packages = productionPackages();
  const components = [...packages.entries()].map(([place, one]) => componentOf(place, one));
  const bun = {
    type: "framework",
    "bom-ref": `pkg:npm/bun@${RUNTIME_VERSION}`,
    name: "bun",
    version: RUNTIME_VERSION,
    purl: `pkg:npm/bun@${RUNTIME_VERSION}`,
    licenses: [{ license: { id: "MIT" } }],
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([version, date, components]))}`,
    version: 1,
    metadata: {
      timestamp: date,
      component: {
        type: "application",
        "bom-ref": `pkg:generic/qufabric@${version}`,
        name: "qufabric",
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: [...components, bun],
    dependencies: [
      { ref: `pkg:generic/qufabric@${version}`, dependsOn: [...directRefs(packages), bun["bom-ref"]] },
      ...[...packages].map(([place, one]) => ({
        ref: refOf(one),
        dependsOn: refsBelow(place, one, packages),
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Packages of the lock file that the executable is made of, by their place in it: `koa` or `koa/debug`. */
export function productionPackages(): Map<string, Locked> {
  const lock = readLock();
  const found = new Map<string, Locked>();
  const queue = direct().map((name) => resolvePlace("", name, lock));
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    const one = lock.get(place);
    if (one === undefined || found.has(place)) continue;
    found.set(place, one);
    for (const name of one.dependencies) queue.push(resolvePlace(place, name, lock));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function direct(): string[] {
  return Object.keys(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).dependencies);
}

/** As the runtime finds it: the nearest one upwards. */
function resolvePlace(from: string, name: string, lock: ReadonlyMap<string, Locked>): string {
  for (let at = from; at !== ""; at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "") {
    if (lock.has(`${at}/${name}`)) return `${at}/${name}`;
  }
  return name;
}

/** bun.lock is JSON with commas behind last entries. */
function readLock(): Map<string, Locked> {
  const text = readFileSync(join(ROOT, "bun.lock"), "utf8").replace(/,(\s*[}\]])/g, "$1");
  const { packages } = JSON.parse(text) as {
    packages: Record<string, [string, string, { dependencies?: Record<string, string> }, string]>;
  };
  return new Map(
    Object.entries(packages).map(([place, [id, , more, integrity]]) => {
      const at = id.lastIndexOf("@");
      const dependencies = Object.keys(more.dependencies ?? {});
      return [place, { name: id.slice(0, at), version: id.slice(at + 1), dependencies, integrity }] as const;
    }),
  );
}

function componentOf(place: string, one: Locked) {
  const hex = Buffer.from(one.integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": refOf(one),
    name: one.name,
    version: one.version,
    purl: refOf(one),
    hashes: [{ alg: "SHA-512", content: hex }],
    ...licenceOf(place),
  };
}

function refOf({ name, version }: Locked): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function directRefs(packages: ReadonlyMap<string, Locked>): string[] {
  return direct().flatMap((name) => {
    const one = packages.get(name);
    return one === undefined ? [] : [refOf(one)];
  });
}

function refsBelow(place: string, one: Locked, packages: ReadonlyMap<string, Locked>): string[] {
  return one.dependencies.flatMap((name) => {
    const below = packages.get(resolvePlace(place, name, packages));
    return below === undefined ? [] : [refOf(below)];
  });
}

function licenceOf(place: string): object {
  const nested = place.split(/\/(?!.*@)/).join("/node_modules/");
  for (const path of [place, nested]) {
    try {
      const text = readFileSync(join(ROOT, "node_modules", path, "package.json"), "utf8");
      // Old packages have a list of licences.
      const { license, licenses } = JSON.parse(text);
      const id = license ?? licenses?.[0]?.type;
      if (typeof id === "string") return { licenses: [{ license: { id } }] };
    } catch {
      // Hoisted elsewhere: the next place.
    }
  }
  return {};
}

/** A UUID that says the same for the same text (RFC 9562, version 8). */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
