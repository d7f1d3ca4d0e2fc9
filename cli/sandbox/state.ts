import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { isMap, mapSecrets, secret, type PropertyMap, type PropertyValue } from "./properties";
import { Seal } from "./seal";

/** One resource as the last `up` left it. Values carry their secret marks. */
export interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** False for a component, which groups resources and has nothing to create or delete. */
  readonly custom: boolean;
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
  readonly parent?: string;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deletedWith?: string;
  readonly replacementTrigger?: PropertyValue;
  /** A successor took its URN; it is deleted when everything else has been done. */
  readonly replaced?: boolean;
}

interface StateFile {
  readonly version: 1;
  readonly project: string;
  readonly stack: string;
  readonly resources: StoredResource[];
  readonly generated: PropertyMap;
  readonly outputs?: PropertyMap;
}

const fileName = "state.json";

/** What stands in the sandbox for one stack: one JSON file, written whole after each change. */
export class StackState {
  /** In the order of creation. */
  resources: readonly StoredResource[] = [];
  private generated: PropertyMap = {};
  /** Of the last run that succeeded, as the real engine keeps them. */
  private stackOutputs: PropertyMap = {};

  private constructor(
    readonly directory: string,
    readonly project: string,
    readonly stack: string,
    private readonly keys: Seal,
  ) {}

  /** `directory` is `.sandbox/<stack>`. Throws when the file belongs to another stack or cannot be read. */
  static load(directory: string, project: string, stack: string): StackState {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, fileName);
    const state = new StackState(directory, project, stack, Seal.of(directory, fileName));
    if (!existsSync(path)) return state;
    const file = JSON.parse(readFileSync(path, "utf8")) as StateFile;
    if (file.version !== 1 || file.stack !== stack || file.project !== project) {
      throw new Error(
        `${path}: holds stack "${file.project}/${file.stack}" (version ${file.version}), expected ` +
          `"${project}/${stack}" (version 1). Remove it with "slipway rehearse --down".`,
      );
    }
    state.resources = file.resources.map((resource) => state.convert(resource, state.unseal));
    state.generated = state.convert(file.generated, state.unseal);
    state.stackOutputs = state.convert(file.outputs ?? {}, state.unseal);
    return state;
  }

  find(urn: string): StoredResource | undefined {
    return this.resources.find((resource) => resource.urn === urn && !resource.replaced);
  }

  /** Puts a resource in the place of another one, or at the end. */
  put(resource: StoredResource, instead?: StoredResource): void {
    this.resources =
      instead && this.resources.includes(instead)
        ? this.resources.map((other) => (other === instead ? resource : other))
        : [...this.resources, resource];
    this.save();
  }

  remove(resource: StoredResource): void {
    this.resources = this.resources.filter((other) => other !== resource);
    this.save();
  }

  get outputs(): PropertyMap {
    return this.stackOutputs;
  }

  keepOutputs(outputs: PropertyMap): void {
    this.stackOutputs = outputs;
    this.save();
  }

  /** A value made once for this stack, such as a password; it is kept sealed. */
  generate(key: string, make: () => string): string {
    const known = this.generated[key];
    if (isMap(known) && typeof known["value"] === "string") return known["value"];
    const value = make();
    this.generated = { ...this.generated, [key]: secret(value) };
    this.save();
    return value;
  }

  /** Written beside it and renamed, so that a process that dies leaves the old file or the new one. */
  save(): void {
    const file: StateFile = {
      version: 1,
      project: this.project,
      stack: this.stack,
      resources: this.resources.map((resource) => this.convert(resource, this.sealed)),
      generated: this.convert(this.generated, this.sealed),
      outputs: this.convert(this.stackOutputs, this.sealed),
    };
    const path = join(this.directory, fileName);
    const temporary = `${path}.${process.pid}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  private convert<T extends object>(value: T, change: (wrapped: PropertyMap) => PropertyValue): T {
    return mapSecrets(value as unknown as PropertyMap, change) as unknown as T;
  }

  private readonly sealed = (wrapped: PropertyMap): PropertyValue => ({
    [runtime.specialSigKey]: runtime.specialSecretSig,
    sealed: this.keys.seal(JSON.stringify(wrapped["value"] ?? null)),
  });

  private readonly unseal = (wrapped: PropertyMap): PropertyValue =>
    secret(JSON.parse(this.keys.open(wrapped["sealed"] as string)) as PropertyValue);
}
