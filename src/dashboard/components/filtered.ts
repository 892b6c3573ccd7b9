/**
 * Rows of a list that contain all typed words, each anywhere in the row, and none of those after a minus.
 *
 * @module
 */
export function filtered<T>(rows: readonly T[], typed: string, texts: (row: T) => readonly string[]): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = words.filter((word) => !isExcluding(word));
  const unwanted = words.filter(isExcluding).map((word) => word.slice(1));
  if (words.length === 0) return [...rows];
  return rows.filter((row) => {
    const all = texts(row).join("\n").toLowerCase();
    return wanted.every((word) => all.includes(word)) && !unwanted.some((word) => all.includes(word));
  });
}

/** A minus alone is text, such as the beginning of a word that is still being typed. */
function isExcluding(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}
