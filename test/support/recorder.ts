// Runs a program against recorded answers and keeps what it registered, with the options that decide over data.
// What it does not prove: that the cloud accepts the inputs, and that a host can be reached. The sandbox and a real
// `pulumi up` do.
import * as pulumi from "@pulumi/pulumi";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type { CollectRejections } from "./rejections";

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

type Values = Record<string, unknown>;

/** One registered resource: its inputs in the clear, and which of them were secret. */
export interface Recorded {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly inputs: Values;
  /** Dotted paths of the inputs and outputs that are marked as secret. */
  readonly secretPaths: readonly string[];
  readonly parent: string;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  readonly dependsOn: readonly string[];
  readonly deletedWith: string;
  readonly deleteBeforeReplace: boolean;
}

/** What the cloud answers: outputs beside the inputs, by type. `pulumi.secret` marks what the provider marks. */
export type Answers = Readonly<Record<string, (name: string, inputs: Values) => Values>>;

export interface RecordOptions {
  readonly answers: Answers;
  /** Answers to functions, by token. */
  readonly calls?: Readonly<Record<string, (inputs: Values) => Values>>;
  readonly project?: string;
  readonly stack?: string;
  readonly preview?: boolean;
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
}

/** What a component, or the stack itself, says about itself when it is complete. */
export interface RecordedOutputs {
  readonly urn: string;
  readonly outputs: Values;
  readonly secretPaths: readonly string[];
}

export interface Recording<T> {
  readonly resources: readonly Recorded[];
  readonly registered: readonly RecordedOutputs[];
  readonly outputs: T;
  /** The one resource of this type and name; throws when there is none. */
  readonly find: (type: string, name?: string) => Recorded;
  /** Every resource as `type::name` below its parents, as the real engine names it. */
  readonly urns: () => string[];
}

/** Runs `program` to its end. Rejects with the first error of the program or of a resource. */
export async function record<T extends object>(
  program: () => T | Promise<T>,
  options: RecordOptions,
): Promise<Recording<T>> {
  const { monitor, errors, outputs } = await run(program, options);
  if (errors.length > 0) throw errors[0];
  const resources = monitor.recorded;
  return {
    resources,
    registered: monitor.registered,
    outputs: outputs as T,
    find: (type, name) => {
      const found = resources.filter((one) => one.type === type && (name === undefined || one.name === name));
      if (found.length === 1 && found[0]) return found[0];
      const all = resources.map(({ urn }) => urn).join("\n");
      throw new Error(`${found.length} of ${type} ${name ?? ""}; there are:\n${all}`);
    },
    urns: () => urnsOf(resources),
  };
}

/**
 * Runs a `program` that is to fail: the first error, and what was registered all the same. Needs the environment of
 * `rejections.ts`: a file that uses it begins with `@jest-environment ./test/support/rejections.ts`.
 */
export async function recordFailure(
  program: () => object | Promise<object>,
  options: RecordOptions,
): Promise<{ message: string; urns: string[] }> {
  const { monitor, errors } = await run(program, options);
  const [first] = errors;
  if (first === undefined) throw new Error("the program was to fail, and went through");
  return {
    message: first instanceof Error ? first.message : JSON.stringify(first),
    urns: urnsOf(monitor.recorded),
  };
}

async function run<T extends object>(program: () => T | Promise<T>, options: RecordOptions) {
  const project = options.project ?? "slipway";
  const stack = options.stack ?? "test";
  const monitor = new RecordingMonitor(options, project, stack);
  pulumi.runtime.setMockOptions(monitor, project, stack, options.preview ?? false, "organization");
  pulumi.runtime.setAllConfig({ ...options.config }, [...(options.secretKeys ?? [])]);
  // What goes wrong inside an apply rejects promises that nobody waits for.
  const errors: unknown[] = [];
  const collect = (globalThis as { collectRejections?: CollectRejections }).collectRejections;
  collect?.(errors);
  let outputs: T | undefined;
  const whole = async (): Promise<void> => {
    await pulumi.runtime.runInPulumiStack(async () => (outputs = await program()) as Record<string, unknown>);
    await pulumi.runtime.disconnect();
  };
  let finished = false;
  void whole()
    .catch((error: unknown) => errors.unshift(error))
    .finally(() => (finished = true));
  // The SDK leaves what hangs on a failed value pending for ever, so after an error only what is under way may end.
  for (let turns = 0; turns < 25; turns += finished || errors.length > 0 ? 1 : 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  collect?.(undefined);
  return { monitor, errors, outputs };
}

function urnsOf(resources: readonly Recorded[]): string[] {
  return resources
    .filter(({ type }) => type !== "pulumi:pulumi:Stack")
    .map(({ urn }) => urn)
    .sort();
}

class RecordingMonitor extends MockMonitor {
  readonly recorded: Recorded[] = [];
  readonly registered: RecordedOutputs[] = [];

  constructor(
    private readonly options: RecordOptions,
    private readonly project: string,
    private readonly stack: string,
  ) {
    super({
      newResource: ({ type, name }) => {
        throw new Error(`the program reads "${name}" [${type}], which it did not make`);
      },
      call: ({ token, inputs }) => {
        const call = options.calls?.[token];
        if (call === undefined) throw new Error(`unexpected call of the function ${token}`);
        return call(reveal(inputs) as Values);
      },
    });
  }

  override async registerResource(
    request: RegisterResourceRequest,
    callback: (error: Error | null, response: RegisterResourceResponse) => void,
  ): Promise<void> {
    const recorded = this.read(request);
    this.recorded.push(recorded);
    const answer = new MockMonitor({
      newResource: ({ type, name, inputs }) => {
        if (!recorded.custom) return { id: undefined, state: {} };
        const respond = this.options.answers[type];
        if (respond === undefined) throw new Error(`unexpected resource "${name}" [${type}]`);
        // Unknown inputs stay unknown: a preview creates nothing.
        if (this.options.preview) return { id: undefined, state: inputs as Values };
        return { id: `${name}-id`, state: { ...(inputs as Values), ...respond(name, recorded.inputs) } };
      },
      call: () => ({}),
    });
    await answer.registerResource(request, (error: Error | null, response: RegisterResourceResponse) => {
      if (!error) {
        response.setUrn(recorded.urn);
        const given = this.options.answers[recorded.type]?.(recorded.name, recorded.inputs)["id"];
        if (typeof given === "string" && !this.options.preview) response.setId(given);
      }
      callback(error, response);
    });
  }

  override registerResourceOutputs(
    request: RegisterResourceOutputsRequest,
    callback: (error: Error | null, response: object) => void,
  ): void {
    const secretPaths: string[] = [];
    const outputs = reveal(request.getOutputs()?.toJavaScript() ?? {}, "", secretPaths) as Values;
    this.registered.push({ urn: request.getUrn(), outputs, secretPaths });
    callback(null, {});
  }

  private read(request: RegisterResourceRequest): Recorded {
    const inputs = (request.getObject()?.toJavaScript() ?? {}) as Values;
    const parent = request.getParent();
    const secretPaths: string[] = [];
    const plain = reveal(inputs, "", secretPaths) as Values;
    const chain = parent.split("::")[2] ?? "";
    const types = chain === "" || chain === "pulumi:pulumi:Stack" ? "" : `${chain}$`;
    return {
      urn: `urn:pulumi:${this.stack}::${this.project}::${types}${request.getType()}::${request.getName()}`,
      type: request.getType(),
      name: request.getName(),
      custom: request.getCustom(),
      inputs: plain,
      secretPaths: [...secretPaths, ...request.getAdditionalsecretoutputsList()],
      parent,
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      ignoreChanges: request.getIgnorechangesList(),
      dependsOn: request.getDependenciesList(),
      deletedWith: request.getDeletedwith(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
    };
  }
}

/** The value without the SDK's wrappers; notes the paths of secrets on the way. */
function reveal(value: unknown, path = "", secretPaths: string[] = []): unknown {
  if (Array.isArray(value))
    return value.map((inner, index) =>
      reveal(inner, path === "" ? String(index) : `${path}.${index}`, secretPaths),
    );
  if (typeof value !== "object" || value === null) return value;
  const wrapped = value as Values;
  if (wrapped[signatureKey] === secretSignature) {
    secretPaths.push(path);
    return reveal(wrapped["value"], path);
  }
  if (wrapped[signatureKey] === outputSignature) {
    if (wrapped["secret"] === true) secretPaths.push(path);
    return reveal(wrapped["value"], path, secretPaths);
  }
  return Object.fromEntries(
    Object.entries(wrapped).map(([key, inner]) => [
      key,
      reveal(inner, path === "" ? key : `${path}.${key}`, secretPaths),
    ]),
  );
}

/** What an Output holds. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}

/** The paths of every input and output that holds one of the texts without being marked as secret. */
export function leaks(recording: Recording<object>, secrets: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (urn: string, values: Values, secretPaths: readonly string[]): void => {
    const walk = (value: unknown, path: string): void => {
      if (secretPaths.some((secret) => path === secret || path.startsWith(`${secret}.`))) return;
      if (typeof value === "string") {
        const forms = [value, Buffer.from(value, "base64").toString("utf8")];
        if (secrets.some((secret) => forms.some((form) => form.includes(secret))))
          found.push(`${urn} ${path}`);
      } else if (typeof value === "object" && value !== null) {
        for (const [key, inner] of Object.entries(value)) walk(inner, path === "" ? key : `${path}.${key}`);
      }
    };
    walk(values, "");
  };
  for (const { urn, inputs, secretPaths } of recording.resources) visit(urn, inputs, secretPaths);
  for (const { urn, outputs, secretPaths } of recording.registered) visit(urn, outputs, secretPaths);
  return found;
}
