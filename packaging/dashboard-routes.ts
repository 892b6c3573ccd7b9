/**
 * `bun packaging/dashboard-routes.ts`: writes the dashboard's table of REST routes from the one that serves
 * them: for each, the types of its body, query and answer, as `wire` has them. A test holds the file against
 * the table.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ZodType } from "zod";
import BIOME from "../biome.json";
import { ADMIN_ROUTES } from "../src/management/http/admin/app.ts";
import type { Route } from "../src/management/http/admin/route.ts";

const WIRE = resolve(import.meta.dir, "../src/wire");
export const ROUTES_FILE = resolve(import.meta.dir, "../src/dashboard/api/routes.ts");

/** The file's text by the route table as it is now. Throws for a schema that `wire` does not export. */
export async function routesText(): Promise<string> {
  const names = await wireNames();
  const used = new Set<string>();
  const typeOf = (schema: ZodType, direction: "input" | "output", where: string): string => {
    const found = names.get(schema);
    if (found === undefined) throw new Error(`${where} has a schema that wire does not export by name`);
    used.add(found.module);
    return `${direction}<typeof ${aliasOf(found.module)}.${found.name}>`;
  };
  const rows = ADMIN_ROUTES.map((route) => rowOf(route, typeOf));
  // As Biome sorts them: the shorter name first.
  const stem = (module: string): string => module.slice(0, -3);
  const imports = [...used]
    .sort((a, b) => (stem(a) < stem(b) ? -1 : 1))
    .map((module) => `import type * as ${aliasOf(module)} from "../../wire/${module}";`);
  return `/**
 * The REST API by method and path. Written by \`bun packaging/dashboard-routes.ts\`; not to be edited.
 *
 * @module
 */
import type { input, output } from "zod";
${imports.join("\n")}

export interface ApiRoutes {
${rows.join("\n")}
}
`;
}

function rowOf(
  route: Route,
  typeOf: (schema: ZodType, way: "input" | "output", where: string) => string,
): string {
  const key = `${route.method.toUpperCase()} ${route.path}`;
  const answer =
    "one" in route.answer
      ? typeOf(route.answer.one, "output", key)
      : `${typeOf(route.answer.listOf, "output", key)}[]`;
  const parts = [
    ...(route.body === undefined ? [] : [`body: ${typeOf(route.body, "input", key)}`]),
    ...(route.query === undefined ? [] : [`query: ${typeOf(route.query, "input", key)}`]),
    `answer: ${answer}`,
  ];
  const line = `  ${JSON.stringify(key)}: { ${parts.join("; ")} };`;
  if (line.length <= BIOME.formatter.lineWidth) return line;
  return [`  ${JSON.stringify(key)}: {`, ...parts.map((part) => `    ${part};`), "  };"].join("\n");
}

function aliasOf(module: string): string {
  return module.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

async function wireNames(): Promise<Map<unknown, { module: string; name: string }>> {
  const names = new Map<unknown, { module: string; name: string }>();
  for (const module of readdirSync(WIRE)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .sort()) {
    for (const [name, value] of Object.entries(await import(resolve(WIRE, module)))) {
      if (typeof value === "object" && value !== null && !names.has(value))
        names.set(value, { module, name });
    }
  }
  return names;
}

if (import.meta.main) writeFileSync(ROUTES_FILE, await routesText());
