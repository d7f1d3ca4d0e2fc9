/** One word for a POSIX shell. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** SSH takes one line, which a shell on the other side splits into words again: these words, whatever is in them. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
