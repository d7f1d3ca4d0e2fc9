import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "../../../cli/sandbox/engine";
import type { EngineEvent } from "../../../cli/sandbox/events";
import type { Registration } from "../../../cli/sandbox/plan";
import type { PropertyMap } from "../../../cli/sandbox/properties";
import type { ResourceHandler } from "../../../cli/sandbox/resources/handler";
import { StackState } from "../../../cli/sandbox/state";

export type Declaration = Partial<Omit<Registration, "inputs">> & { readonly inputs?: PropertyMap };

/** One stack with fake handlers that write down what they are asked to do. */
export class FakeStack {
  readonly directory = mkdtempSync(join(tmpdir(), "slipway-engine-"));
  calls: string[] = [];
  events: EngineEvent[] = [];
  failOn: string | undefined;
  private serial = 0;

  /** `test:Thing` is updated in place, except for `kind`; `test:Fixed` is replaced by every change. */
  readonly resources: Record<string, ResourceHandler> = {
    "test:Thing": {
      create: ({ name, inputs }) => this.create(name, inputs),
      update: ({ name, inputs }) => {
        this.note(`update ${name}`);
        return { echo: inputs["value"] };
      },
      delete: ({ name, id }) => this.note(`delete ${name} ${id}`),
      replaceOn: ["kind"],
      secretOutputs: ["password"],
    },
    "test:Fixed": {
      create: ({ name, inputs }) => this.create(name, inputs),
      delete: ({ name, id }) => this.note(`delete ${name} ${id}`),
    },
  };

  /** Runs a program that consists of these declarations, in this order. */
  async up(declarations: readonly Declaration[], preview = false): Promise<Engine> {
    const engine = this.engine(preview);
    for (const declaration of declarations) await engine.register(registration(declaration));
    await engine.finish();
    return engine;
  }

  engine(preview = false): Engine {
    this.calls = [];
    this.events = [];
    const onEvent = (event: EngineEvent): void => void this.events.push(event);
    return new Engine({ state: this.state(), provider: { resources: this.resources }, preview, onEvent });
  }

  state(): StackState {
    return StackState.load(this.directory, "shop", "dev");
  }

  file(): string {
    return readFileSync(join(this.directory, "state.json"), "utf8");
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private create(name: string, inputs: Record<string, unknown>) {
    this.note(`create ${name}`);
    this.serial += 1;
    return { id: `id${this.serial}`, outputs: { echo: inputs["value"], password: `made for ${name}` } };
  }

  private note(call: string): void {
    this.calls.push(call);
    if (call === this.failOn) throw new Error(`${call} went wrong`);
  }
}

export function urnOf(name: string, type = "test:Thing"): string {
  return `urn:pulumi:dev::shop::${type}::${name}`;
}

export function registration(declaration: Declaration): Registration {
  const { name = "thing", type = "test:Thing" } = declaration;
  return {
    urn: urnOf(name, type),
    type,
    name,
    custom: true,
    aliases: [],
    dependencies: [],
    propertyDependencies: {},
    protect: false,
    retainOnDelete: false,
    replaceWith: [],
    ignoreChanges: [],
    replaceOnChanges: [],
    additionalSecretOutputs: [],
    ...declaration,
    inputs: declaration.inputs ?? {},
  };
}
