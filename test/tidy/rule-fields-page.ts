/**
 * docs/rule-fields.md, made from `wire/policy.ts`: each field of a rule with the values that the schema takes
 * and the words of its comment.
 *
 * `bun test/tidy/rule-fields-page.ts` writes it; a test holds the page against the source.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PolicyRuleWrite } from "../../src/wire/policy.ts";
import { ROOT } from "./documents.ts";

export const RULE_FIELDS_PAGE = "docs/rule-fields.md";

const HEAD = `# Fields of a rule

A policy has rules, and a rule has these fields in [the REST API](api.md). [Policies](policies.md) explains
them with examples. In [policy files](policy-as-code.md) groups stand by name in place of their ids. A field
that is not listed is refused.
`;

/** As much of JSON Schema as rules need. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The page's text. */
export function ruleFieldsPage(): string {
  const rule: Schema = z.toJSONSchema(PolicyRuleWrite, { io: "input" }) as Schema;
  const about = commentsOf(readFileSync(join(ROOT, "src/wire/policy.ts"), "utf8"));
  const ssh = rule.properties?.ssh ?? {};
  return `${HEAD}\n${tableOf(rule, about)}\n## In \`ssh\`\n\n${tableOf(ssh, about)}`;
}

function tableOf({ properties = {}, required = [] }: Schema, about: ReadonlyMap<string, string>): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const needed = required.includes(name) ? ", required" : "";
    return `| \`${name}\` | ${valuesOf(schema)}${needed} | ${about.get(name) ?? ""} |\n`;
  });
  return `| field | values | meaning |\n|---|---|---|\n${rows.join("")}`;
}

function valuesOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === "integer") return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === "string") return `text, at most ${schema.maxLength ?? 20} characters`;
  if (schema.type === "array") return `a list of at most ${schema.maxItems}`;
  if (schema.type === "boolean") return "`true` or `false`";
  if (schema.type === "object") {
    const names = Object.keys(schema.properties ?? {});
    return names.length > 3 || names.length === 0
      ? "an object"
      : `an object with ${names.map((name) => `\`${name}\``).join(", ")}`;
  }
  return `\`${schema.type}\``;
}

/** The comment right before each field, on one line. A field that stands twice keeps what was said first. */
function commentsOf(source: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, comment = "", name = ""] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(\w+):/g)) {
    const text = comment
      .replace(/\n\s*\*/g, " ")
      .replace(/\s+/g, " ")
      .trim();
    if (!found.has(name)) found.set(name, text.replace(/(?<![`\w])"(\w[\w-]*)"/g, "`$1`"));
  }
  return found;
}

if (import.meta.main) writeFileSync(join(ROOT, RULE_FIELDS_PAGE), ruleFieldsPage());
