import { deletionOrder, mustGoBefore, refuseProtected } from "./deletion";
import { noChanges, type EngineEvent, type ResourceAction } from "./events";
import { Operations, secondsSince } from "./operations";
import { decide, replacesOn, type Decision, type Registration } from "./plan";
import { hasUnknown, markOutputs, reveal, type Plain, type PropertyMap } from "./properties";
import {
  recorded,
  type ExistingCall,
  type Provider,
  type ResourceCall,
  type ResourceHandler,
} from "./resources/handler";
import type { StackState, StoredResource } from "./state";

export interface EngineOptions {
  readonly state: StackState;
  readonly provider: Provider;
  readonly preview: boolean;
  readonly onEvent: (event: EngineEvent) => void;
}

/** What a program gets back for a resource. An empty id means: not known before it has been created. */
export interface RegistrationResult {
  readonly id: string;
  readonly outputs: PropertyMap;
}

/**
 * Carries a program's resources out on this machine. A stand-in for the clouds, not an engine: it keeps to the
 * resource options that decide what happens to data, and does one stack at a time.
 */
export class Engine {
  readonly changes = noChanges();
  readonly operations: Operations;
  private readonly seen = new Set<string>();
  private readonly replacedUrns = new Set<string>();
  private readonly deletedUrns = new Set<string>();

  constructor(private readonly options: EngineOptions) {
    this.operations = new Operations(options.onEvent);
  }

  /** Does what the program asks for. Rejects when it fails, or when something failed before. */
  async register(registration: Registration): Promise<RegistrationResult> {
    const { urn, type, name } = registration;
    if (this.seen.has(urn)) throw new Error(`${urn} is registered twice: give one of the two another name`);
    this.seen.add(urn);
    this.operations.refuseWhenHalted();
    const started = Date.now();
    const work = registration.custom ? this.carryOut(registration, started) : this.group(registration);
    return this.operations.track({ urn, type, name }, started, work);
  }

  /** What a component, or the stack itself, says about itself when it is complete. */
  registerOutputs(urn: string, outputs: PropertyMap): void {
    const stored = this.options.state.find(urn);
    if (stored && !this.options.preview) this.options.state.put({ ...stored, outputs }, stored);
  }

  async invoke(token: string, inputs: PropertyMap): Promise<Plain> {
    const invoke = this.options.provider.invokes?.[token];
    if (!invoke) throw new Error(`the sandbox has no answer to the function ${token}`);
    return invoke(reveal(inputs) as Plain);
  }

  /** After a program that went through: deletes what it no longer contains, in reverse order of dependency. */
  async finish(): Promise<void> {
    const gone = this.options.state.resources.filter(({ urn, replaced }) => replaced || !this.seen.has(urn));
    refuseProtected(
      gone.filter(({ replaced }) => !replaced),
      "deleted",
    );
    await this.deleteAll(gone);
  }

  /** Deletes the whole stack. Rejects, before anything is deleted, when something in it is protected. */
  async destroy(): Promise<void> {
    refuseProtected(this.options.state.resources, "deleted");
    await this.deleteAll(this.options.state.resources);
  }

  private async group(registration: Registration): Promise<RegistrationResult> {
    const { state, preview } = this.options;
    const old = this.findOld(registration);
    if (!preview) state.put(stored(registration, "", registration.inputs, old?.outputs ?? {}), old);
    return Promise.resolve({ id: "", outputs: {} });
  }

  private async carryOut(registration: Registration, started: number): Promise<RegistrationResult> {
    const handler = this.handlerOf(registration.type);
    if (registration.importId)
      throw new Error("the option import: there is nothing in the sandbox to import");
    const old = await this.stillThere(this.findOld(registration), handler);
    const decision = decide(registration, old, handler, this.replacedUrns);
    if (decision.operation !== "same") {
      this.options.onEvent({ kind: "started", operation: decision.operation, ...identity(registration) });
    }
    const result = await this.apply(registration, decision, handler, old);
    const recreated = decision.operation === "create" && this.replacedUrns.has(registration.urn);
    const action = recreated ? "replaced" : actions[decision.operation];
    this.done(action, registration, started, decision.reason);
    return result;
  }

  private async apply(
    registration: Registration,
    decision: Decision,
    handler: ResourceHandler,
    old: StoredResource | undefined,
  ): Promise<RegistrationResult> {
    const { state, preview } = this.options;
    const secretKeys = [...registration.additionalSecretOutputs, ...(handler.secretOutputs ?? [])];
    const { operation, inputs } = decision;
    if (operation === "create" || operation === "replace" || !old) {
      if (operation === "replace" && old) await this.makeWay(registration, handler, old);
      if (preview) return { id: "", outputs: markOutputs(inputs, {}, secretKeys) };
      const created = await handler.create(this.callFor(registration, inputs));
      const outputs = markOutputs(inputs, created.outputs ?? {}, secretKeys);
      const predecessor = old && state.find(old.urn);
      if (predecessor) state.put({ ...predecessor, replaced: true }, predecessor);
      state.put(stored(registration, created.id, inputs, outputs));
      return { id: created.id, outputs };
    }
    const computed = Object.fromEntries(
      Object.entries(reveal(old.outputs) as Plain).filter(
        ([key]) => !(key in old.inputs) && !(key in inputs),
      ),
    );
    const change =
      operation === "update" && handler.update && !preview
        ? await handler.update({ ...this.callFor(registration, inputs), ...existing(old) })
        : {};
    const outputs = markOutputs(inputs, { ...computed, ...change }, secretKeys);
    if (!preview) state.put(stored(registration, old.id, inputs, outputs), old);
    return { id: old.id, outputs };
  }

  /** Before a replacement: refuses for what is protected, and deletes first what cannot stand beside its successor. */
  private async makeWay(
    registration: Registration,
    handler: ResourceHandler,
    old: StoredResource,
  ): Promise<void> {
    refuseProtected([old], "replaced");
    this.replacedUrns.add(registration.urn);
    if (!(registration.deleteBeforeReplace ?? handler.deleteBeforeReplace ?? false)) return;
    const { resources } = this.options.state;
    const before = mustGoBefore(old, resources, (resource, key) =>
      replacesOn(this.handlerOf(resource.type), key),
    );
    refuseProtected(before, "replaced");
    before.forEach(({ urn }) => this.replacedUrns.add(urn));
    if (this.options.preview) return;
    const going = new Set([...before, old].map(({ urn }) => urn));
    for (const resource of [...before, old]) await this.deleteOne(resource, going);
  }

  private async deleteAll(resources: readonly StoredResource[]): Promise<void> {
    const going = new Set(resources.map(({ urn }) => urn));
    for (const resource of deletionOrder(resources)) {
      this.operations.refuseWhenHalted();
      const started = Date.now();
      if (resource.custom)
        this.options.onEvent({ kind: "started", operation: "delete", ...identity(resource) });
      if (!this.options.preview) {
        await this.operations.track(identity(resource), started, this.deleteOne(resource, going));
      }
      const reason = resource.replaced ? "was replaced" : "left the program";
      if (resource.custom) this.done("deleted", resource, started, reason);
    }
  }

  private async deleteOne(resource: StoredResource, going: ReadonlySet<string>): Promise<void> {
    const { deletedWith, retainOnDelete, custom } = resource;
    const goesAnyway =
      deletedWith !== undefined && (going.has(deletedWith) || this.deletedUrns.has(deletedWith));
    if (custom && !retainOnDelete && !goesAnyway) {
      const handler = this.handlerOf(resource.type);
      await handler.delete?.({ ...this.callFor(resource, resource.inputs), ...existing(resource) });
    }
    this.deletedUrns.add(resource.urn);
    this.options.state.remove(resource);
  }

  private findOld({ urn, aliases }: Registration): StoredResource | undefined {
    const old = [urn, ...aliases].map((known) => this.options.state.find(known)).find((resource) => resource);
    if (old) this.seen.add(old.urn);
    return old;
  }

  /** Forgets a resource that has been removed behind the sandbox's back, so that it is made again. */
  private async stillThere(
    old: StoredResource | undefined,
    handler: ResourceHandler,
  ): Promise<StoredResource | undefined> {
    if (!old || !handler.stands || this.options.preview) return old;
    const call = { ...this.callFor(old, old.inputs), ...existing(old) };
    if (await handler.stands(call)) return old;
    call.log(`${old.name} is gone from this machine, it is made again`);
    this.replacedUrns.add(old.urn);
    this.deletedUrns.add(old.urn);
    this.options.state.remove(old);
    return undefined;
  }

  private handlerOf(type: string): ResourceHandler {
    const handler = this.options.provider.resources[type];
    if (handler) return handler;
    if (type.startsWith("pulumi:providers:")) return recorded();
    throw new Error(
      `the sandbox does not know the resource type ${type}: it has no local body and is not recorded`,
    );
  }

  private callFor(resource: Registration | StoredResource, inputs: PropertyMap): ResourceCall {
    if (hasUnknown(inputs) && !this.options.preview) throw new Error("an input is not known");
    const { name } = resource;
    return {
      ...identity(resource),
      inputs: reveal(inputs) as Plain,
      signal: this.operations.signal,
      log: (line) => this.options.onEvent({ kind: "log", source: "resource", line, name }),
    };
  }

  private done(
    action: ResourceAction,
    resource: Registration | StoredResource,
    started: number,
    reason?: string,
  ) {
    const replacedBefore = action === "deleted" && "replaced" in resource && resource.replaced;
    if (!replacedBefore) this.changes[action] += 1;
    const seconds = secondsSince(started);
    this.options.onEvent({
      kind: "resource",
      action,
      ...identity(resource),
      seconds,
      ...(reason && { reason }),
    });
  }
}

const actions = { create: "created", update: "updated", replace: "replaced", same: "unchanged" } as const;

function stored(from: Registration, id: string, inputs: PropertyMap, outputs: PropertyMap): StoredResource {
  const { urn, type, name, custom, parent, dependencies, propertyDependencies } = from;
  const { protect, retainOnDelete, deletedWith, replacementTrigger } = from;
  const identity = {
    urn,
    type,
    name,
    custom,
    id,
    inputs,
    outputs,
    parent,
    dependencies,
    propertyDependencies,
  };
  return { ...identity, protect, retainOnDelete, deletedWith, replacementTrigger };
}

function existing(resource: StoredResource): Pick<ExistingCall, "id" | "oldInputs" | "outputs"> {
  const { id, inputs, outputs } = resource;
  return { id, oldInputs: reveal(inputs) as Plain, outputs: reveal(outputs) as Plain };
}

function identity({ urn, type, name }: Registration | StoredResource) {
  return { urn, type, name };
}
