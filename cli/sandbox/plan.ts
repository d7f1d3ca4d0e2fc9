import { changedAt, changedKeys, keepIgnored } from "./paths";
import { sameValue, type PropertyMap, type PropertyValue } from "./properties";
import type { ResourceHandler } from "./resources/handler";
import type { StoredResource } from "./state";

/** What a program asks for: one resource with its inputs and options. */
export interface Registration {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly parent?: string;
  readonly inputs: PropertyMap;
  /** URNs under which the resource may be known from earlier runs. */
  readonly aliases: readonly string[];
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deleteBeforeReplace?: boolean;
  readonly deletedWith?: string;
  readonly replaceWith: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly replacementTrigger?: PropertyValue;
  readonly additionalSecretOutputs: readonly string[];
  /** Set when the program wants to adopt something that exists outside of it. */
  readonly importId?: string;
}

export interface Decision {
  readonly operation: "create" | "update" | "replace" | "same";
  /** The inputs to work with: those of the program, but for what it ignores. */
  readonly inputs: PropertyMap;
  readonly reason?: string;
}

/** What has to be done about a resource, given what stands and what has been replaced in this run. */
export function decide(
  registration: Registration,
  old: StoredResource | undefined,
  handler: Pick<ResourceHandler, "replaceOn" | "update">,
  replacedUrns: ReadonlySet<string>,
): Decision {
  if (!old) return { operation: "create", inputs: registration.inputs };
  const inputs = keepIgnored(old.inputs, registration.inputs, registration.ignoreChanges);
  const changed = changedKeys(old.inputs, inputs);
  const because = replaceReason(registration, old, inputs, changed, handler, replacedUrns);
  if (because !== undefined) return { operation: "replace", inputs, reason: because };
  if (changed.length > 0) return { operation: "update", inputs, reason: `changed: ${changed.join(", ")}` };
  return { operation: "same", inputs };
}

function replaceReason(
  registration: Registration,
  old: StoredResource,
  inputs: PropertyMap,
  changed: readonly string[],
  handler: Pick<ResourceHandler, "replaceOn" | "update">,
  replacedUrns: ReadonlySet<string>,
): string | undefined {
  const fixed = changed.filter((key) => replacesOn(handler, key));
  if (fixed.length > 0) return `changed: ${fixed.join(", ")}`;
  const watched = registration.replaceOnChanges.filter((path) => changedAt(old.inputs, inputs, path));
  if (watched.length > 0) return `changed: ${watched.join(", ")}`;
  if (!sameValue(old.replacementTrigger, registration.replacementTrigger))
    return "changed: replacementTrigger";
  const companion = [registration.deletedWith, ...registration.replaceWith].find(
    (urn) => urn !== undefined && replacedUrns.has(urn),
  );
  return companion === undefined ? undefined : `goes with ${nameOf(companion)}, which was replaced`;
}

/** Whether a change of this input makes another resource of it. */
export function replacesOn(handler: Pick<ResourceHandler, "replaceOn" | "update">, key: string): boolean {
  return !handler.update || (handler.replaceOn ?? []).some((fixed) => fixed === "*" || fixed === key);
}

/** The last part of a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
