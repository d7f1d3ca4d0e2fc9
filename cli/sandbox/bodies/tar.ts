/** One file of a tar that is made in memory, so that secrets in it never touch a disk. */
export interface TarFile {
  /** Path without a leading slash. */
  readonly path: string;
  readonly content: string | Buffer;
  /** @default 0o644 */
  readonly mode?: number;
}

const block = 512;

/** A ustar archive of the files, owned by root; directories are made by whoever unpacks it. */
export function packTar(files: readonly TarFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const file of files) {
    const content = Buffer.isBuffer(file.content) ? file.content : Buffer.from(file.content, "utf8");
    parts.push(header(file.path, content.length, file.mode ?? 0o644), content);
    const rest = content.length % block;
    if (rest > 0) parts.push(Buffer.alloc(block - rest));
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.concat(parts);
}

function header(path: string, size: number, mode: number): Buffer {
  const { prefix, name } = splitPath(path);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0") + "\0";
  bytes.write(name, 0, 100);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write(" ".repeat(8), 148);
  bytes.write("0", 156);
  bytes.write("ustar\u000000", 257);
  bytes.write(prefix, 345, 155);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
  return bytes;
}

// ustar keeps 100 bytes of a path, and 155 more of its directory.
function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: "", name: path };
  for (let cut = path.indexOf("/"); cut > 0; cut = path.indexOf("/", cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  throw new Error(
    `the path ${JSON.stringify(path)} is too long for a tar; accepted: 100 bytes after a directory of at most 155`,
  );
}
