// Shorter ones would redact half of every log, and protect nothing.
const shortest = 4;

/**
 * The texts that must not leave the host for these secrets: each value, its lines, and its forms in a URL and in JSON,
 * longest first so that one which contains another is replaced whole.
 */
export function secretForms(values: readonly string[]): string[] {
  const forms = values
    .flatMap(withPasswordOfUrl)
    .flatMap((value) =>
      value
        .split(/\r?\n/)
        .flatMap((line) => [line, line.trim(), encodeURIComponent(line), JSON.stringify(line).slice(1, -1)]),
    );
  return [...new Set(forms)]
    .filter((form) => form.length >= shortest)
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

// What a driver prints of a database URL is its password, not the URL.
function withPasswordOfUrl(value: string): string[] {
  const password = /^\w+:\/\/[^:@/]*:([^@]+)@/.exec(value)?.[1];
  if (password === undefined) return [value];
  try {
    return [value, password, decodeURIComponent(password)];
  } catch {
    return [value, password];
  }
}
