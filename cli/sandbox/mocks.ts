// The one file that reaches into the SDK: setMocks alone does not show a resource's options, which decide whether
// data is kept. `test/cli/sandbox/mocks.test.ts` fails when a newer SDK no longer offers what is used here.
import { runtime } from "@pulumi/pulumi";
import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
  SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type { Engine } from "./engine";
import type { Registration } from "./plan";
import type { PropertyMap, PropertyValue } from "./properties";

const stackType = "pulumi:pulumi:Stack";

type Callback<T> = (error: Error | null, response: T) => void;

/** The resource monitor that a program talks to. It hands everything to the sandbox's engine. */
class SandboxMonitor extends MockMonitor {
  /** The program's outputs. The promise that the SDK returns for them has lost the secret marks. */
  stackOutputs: PropertyMap = {};

  constructor(
    private readonly engine: Engine,
    private readonly stackName: string,
    private readonly projectName: string,
  ) {
    super({
      newResource: ({ type, name }) => {
        throw new Error(`the sandbox cannot read "${name}" [${type}], which exists outside of the program`);
      },
      call: ({ token, inputs }) => engine.invoke(token, inputs as PropertyMap),
    });
  }

  override async registerResource(
    request: RegisterResourceRequest,
    callback: Callback<RegisterResourceResponse>,
  ): Promise<void> {
    const registration = this.read(request);
    const answer = new MockMonitor({
      newResource: async () => {
        const { id, outputs } = await this.engine.register(registration);
        return { id: id || undefined, state: outputs };
      },
      call: () => ({}),
    });
    await answer.registerResource(request, (error: Error | null, response: RegisterResourceResponse) => {
      if (!error) response.setUrn(registration.urn);
      callback(error, response);
    });
  }

  override registerResourceOutputs(
    request: RegisterResourceOutputsRequest,
    callback: Callback<Record<string, never>>,
  ): void {
    const outputs = propertiesOf(request.getOutputs());
    if (request.getUrn().includes(`::${stackType}::`)) this.stackOutputs = outputs;
    this.engine.registerOutputs(request.getUrn(), outputs);
    callback(null, {});
  }

  override supportsFeature(
    request: SupportsFeatureRequest,
    callback: Callback<{ getHassupport: () => boolean }>,
  ): void {
    const missing = ["outputValues", "transforms", "invokeTransforms", "resourceHooks", "errorHooks"];
    callback(null, { getHassupport: () => !missing.includes(request.getId()) });
  }

  private read(request: RegisterResourceRequest): Registration {
    const type = request.getType();
    const name = request.getName();
    const parent = request.getParent() || undefined;
    const propertyDependencies: Record<string, string[]> = {};
    for (const [key, urns] of request.getPropertydependenciesMap().entries() as Iterable<
      [string, RegisterResourceRequest.PropertyDependencies]
    >) {
      propertyDependencies[key] = urns.getUrnsList();
    }
    return {
      urn: this.urnOf(parent, type, name),
      type,
      name,
      custom: request.getCustom(),
      parent,
      inputs: propertiesOf(request.getObject()),
      aliases: request.getAliasesList().map((alias) => this.aliasUrn(alias, parent, type, name)),
      dependencies: request.getDependenciesList(),
      propertyDependencies,
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplacedefined()
        ? request.getDeletebeforereplace()
        : undefined,
      deletedWith: request.getDeletedwith() || undefined,
      replaceWith: request.getReplaceWithList(),
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript() as PropertyValue | undefined,
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      importId: request.getImportid() || undefined,
    };
  }

  /** As the real engine does it: the types of all parents but the stack. */
  private urnOf(parent: string | undefined, type: string, name: string): string {
    const parentType = parent?.split("::")[2];
    const chain = !parentType || parentType === stackType ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.stackName}::${this.projectName}::${chain}::${name}`;
  }

  private aliasUrn(alias: Alias, parent: string | undefined, type: string, name: string): string {
    const spec = alias.getSpec();
    if (!spec) return alias.getUrn();
    const from = spec.getNoparent() ? undefined : spec.getParenturn() || parent;
    return this.urnOf(from, spec.getType() || type, spec.getName() || name);
  }
}

function propertiesOf(struct: { toJavaScript(): unknown } | undefined): PropertyMap {
  return (struct?.toJavaScript() ?? {}) as PropertyMap;
}

export interface ProgramRun {
  readonly engine: Engine;
  readonly project: string;
  readonly stack: string;
  readonly preview: boolean;
  readonly config: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
}

/**
 * Runs a program against the engine and returns its outputs as property values, secrets still wrapped. `load` brings
 * the program in: it must not have been imported before, because resources register when a module is loaded.
 */
export async function runInSandbox(run: ProgramRun, load: () => Promise<unknown>): Promise<PropertyMap> {
  const { engine, project, stack, preview, config, secretKeys } = run;
  const monitor = new SandboxMonitor(engine, stack, project);
  runtime.setMockOptions(monitor, project, stack, preview, "sandbox");
  runtime.setAllConfig({ ...config }, [...secretKeys]);
  try {
    await runtime.runInPulumiStack(load as () => Promise<Record<string, unknown>>);
  } finally {
    // Waits for every resource that is still being registered, also after a failure.
    await runtime.disconnect();
  }
  return monitor.stackOutputs;
}
