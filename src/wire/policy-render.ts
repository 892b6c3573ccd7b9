/**
 * Renders a policy file for people: short lists on one line, times as dates, and the comments of the previous
 * file where the commented part is unchanged.
 *
 * @module
 */
import { Document, isMap, isScalar, isSeq, type Node, visit, YAMLMap, YAMLSeq } from "yaml";
import type { PolicyFile } from "./policy-file.ts";
import { readPolicyDocument } from "./policy-text.ts";

/** An earlier text, and which of its parts still match the file. */
export interface KeptText {
  readonly text: string;
  /** All of it matches. */
  readonly isSame: boolean;
  /** For each policy of the file, which one of the text it is. Null: none. */
  readonly policies: readonly (number | null)[];
  readonly tests: boolean;
}

const LINE_WIDTH = 100;

/** `file` as YAML. */
export function renderPolicyText(file: PolicyFile, kept: KeptText | null): string {
  if (kept?.isSame === true) return kept.text;
  const document = new Document(withDates(file), { version: "1.2", schema: "core" });
  visit(document, {
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true;
    },
    Map: (_, node, path) => {
      const isEntry = path.length > 1 && node.items.every(({ value }) => isShort(value));
      if (isEntry && String(node).length < LINE_WIDTH) node.flow = !isSeq(path.at(-1)) || isTest(node);
    },
  });
  if (kept !== null) keepNodes(document, kept);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function isShort(value: unknown): boolean {
  return isScalar(value) || (isSeq(value) && value.items.every((item) => isScalar(item)));
}

function isTest(node: YAMLMap): boolean {
  return node.has("expect") && node.has("machine");
}

/** Puts nodes of the earlier text, with their comments, in the place of those that say the same. */
function keepNodes(document: Document, { text, policies, tests }: KeptText): void {
  const before = readPolicyDocument(text);
  const { contents } = document;
  if (!isMap(before.contents) || !(contents instanceof YAMLMap)) return;
  document.commentBefore = before.commentBefore ?? null;
  contents.commentBefore = before.contents.commentBefore ?? null;
  const old = before.contents.get("policies");
  const now: unknown = contents.get("policies");
  if (isSeq(old) && now instanceof YAMLSeq) {
    policies.forEach((place, i) => {
      const node = place === null ? undefined : old.items[place];
      if (node !== undefined) now.items[i] = node as Node;
    });
  }
  const oldTests = before.contents.get("tests", true);
  if (tests && oldTests !== undefined) contents.set("tests", oldTests);
  // Comments above a section stand at its key.
  for (const pair of contents.items) {
    const was = before.contents.items.find(({ key }) => isScalar(key) && String(key) === String(pair.key));
    if (was !== undefined) pair.key = was.key;
  }
}

/** Converts times to dates. */
function withDates(file: PolicyFile): unknown {
  const dated = (seconds: number | undefined) =>
    seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  return {
    ...file,
    ...(file.policies === undefined
      ? {}
      : {
          policies: file.policies.map((policy) => ({
            ...policy,
            rules: policy.rules.map((rule) => ({
              ...rule,
              ...(rule.valid_from === undefined ? {} : { valid_from: dated(rule.valid_from) }),
              ...(rule.valid_until === undefined ? {} : { valid_until: dated(rule.valid_until) }),
            })),
          })),
        }),
  };
}
