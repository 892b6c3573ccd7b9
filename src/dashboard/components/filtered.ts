/**
 * The rows of a list that contain all typed words, each anywhere in the row.
 *
 * @module
 */
export function filtered<T>(rows: readonly T[], typed: string, texts: (row: T) => readonly string[]): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...rows];
  return rows.filter((row) => {
    const all = texts(row).join("\n").toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
