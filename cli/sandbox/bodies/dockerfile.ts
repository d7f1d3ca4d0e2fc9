/** An image that a Dockerfile takes from outside: after FROM, or in `COPY --from`. */
export interface ExternalImage {
  /** As written, with its build arguments filled in. */
  readonly image: string;
  /** Line of the Dockerfile, from 1. */
  readonly line: number;
}

interface Instruction {
  readonly line: number;
  readonly text: string;
}

/** The images from outside that the build needs, each once. Names of stages and `scratch` are none. */
export function externalImages(
  dockerfile: string,
  buildArgs: Readonly<Record<string, string>>,
): ExternalImage[] {
  const found: ExternalImage[] = [];
  visit(dockerfile, buildArgs, (image, line) => {
    if (!found.some((known) => known.image === image)) found.push({ image, line });
    return undefined;
  });
  return found;
}

/** The Dockerfile with images replaced by others, everything else as it was. */
export function replaceImages(
  dockerfile: string,
  buildArgs: Readonly<Record<string, string>>,
  standIns: ReadonlyMap<string, string>,
): string {
  return visit(dockerfile, buildArgs, (image) => standIns.get(image));
}

const syntaxLine = /^#\s*syntax\s*=.*$/im;
const linkFlag = /(?<=^\s*(?:COPY|ADD)(?:[ \t]+--\S+)*)[ \t]+--link(?:=\S+)?(?=[ \t])/gim;
const cacheMount = /[ \t]--mount=(?=\S*type=(?:cache|tmpfs))\S+/g;

/**
 * The Dockerfile without what would fetch a builder from a registry, its syntax line, and without `--link`, which
 * builders that are not fetched may not know. It makes a build faster and changes nothing in its result.
 */
export function withoutSyntax(dockerfile: string): string {
  return dockerfile.replace(syntaxLine, "#").replaceAll(linkFlag, "");
}

/** The same for a builder that is not BuildKit: cache mounts make a build faster, too. */
export function withoutBuildKit(dockerfile: string): { text: string; left: string[] } {
  const without = dockerfile.replaceAll(cacheMount, "");
  return { text: withoutSyntax(without), left: without === dockerfile ? [] : ["cache mounts"] };
}

/** Goes over every image from outside and puts in what the visitor gives for it. */
function visit(
  dockerfile: string,
  buildArgs: Readonly<Record<string, string>>,
  visitor: (image: string, line: number) => string | undefined,
): string {
  const lines = dockerfile.split("\n");
  const values: Record<string, string> = {};
  const stages = new Set<string>();
  let first = true;
  const swap = (raw: string, line: number) => {
    const image = fill(raw, values);
    const known = stages.has(image.toLowerCase()) || image === "scratch" || /^\d+$/.test(image);
    const other = known ? undefined : visitor(image, line);
    if (other !== undefined) lines[line - 1] = (lines[line - 1] ?? "").replace(raw, () => other);
  };
  for (const { line, text } of instructions(lines)) {
    // Only arguments before the first FROM may appear in a FROM line.
    const argument = first ? /^ARG\s+([A-Za-z_]\w*)(?:=("[^"]*"|'[^']*'|\S*))?/i.exec(text) : null;
    if (argument?.[1] !== undefined) {
      values[argument[1]] = buildArgs[argument[1]] ?? fill(unquote(argument[2] ?? ""), values);
    }
    const from = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(text);
    if (from?.[1] !== undefined) {
      first = false;
      swap(from[1], line);
      if (from[2] !== undefined) stages.add(from[2].toLowerCase());
    }
    const copied = /^(?:COPY|ADD|RUN)\s.*?(?:--from=|--mount=\S*\bfrom=)([^\s,]+)/i.exec(text);
    if (copied?.[1] !== undefined) swap(copied[1], line);
  }
  return lines.join("\n");
}

function instructions(lines: readonly string[]): Instruction[] {
  const found: Instruction[] = [];
  let current = "";
  let start = 0;
  lines.forEach((line, index) => {
    if (/^\s*#/.test(line)) return;
    if (current === "") start = index + 1;
    current += line.replace(/\\\s*$/, " ");
    if (/\\\s*$/.test(line)) return;
    if (current.trim() !== "") found.push({ line: start, text: current.trim() });
    current = "";
  });
  return found;
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\}|([A-Za-z_]\w*))/g,
    (
      _all,
      braced: string | undefined,
      operator: string | undefined,
      word: string | undefined,
      plain: string | undefined,
    ) => {
      const value = values[braced ?? plain ?? ""] ?? "";
      if (operator === "-") return value === "" ? (word ?? "") : value;
      if (operator === "+") return value === "" ? "" : (word ?? "");
      return value;
    },
  );
}

function unquote(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, "$2");
}
