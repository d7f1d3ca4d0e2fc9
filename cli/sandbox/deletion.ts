import type { StoredResource } from "./state";

/** The order in which to delete: each resource after all that depend on it. */
export function deletionOrder(resources: readonly StoredResource[]): StoredResource[] {
  const ordered: StoredResource[] = [];
  const visited = new Set<StoredResource>();
  const visit = (resource: StoredResource): void => {
    if (visited.has(resource)) return;
    visited.add(resource);
    resources.filter((other) => other !== resource && dependsOn(other, resource.urn)).forEach(visit);
    ordered.push(resource);
  };
  [...resources].reverse().forEach(visit);
  return ordered;
}

function dependsOn(resource: StoredResource, urn: string): boolean {
  return resource.parent === urn || resource.deletedWith === urn || resource.dependencies.includes(urn);
}

/** Throws when one of the resources is protected. */
export function refuseProtected(resources: readonly StoredResource[], what: "deleted" | "replaced"): void {
  const held = resources.filter((resource) => resource.protect);
  if (held.length === 0) return;
  const names = held.map(({ name, type }) => `"${name}" [${type}]`).join(", ");
  throw new Error(
    `${names} ${held.length === 1 ? "is" : "are"} protected and would be ${what}. ` +
      `If the data may go: set protect to false, run "up" once, and then make this change.`,
  );
}

/**
 * Everything that must go before a resource that is deleted ahead of its replacement: what is built on it and would
 * be replaced with it, and what is built on that. `replaces` says whether a resource is replaced by a change of an input.
 */
export function mustGoBefore(
  target: StoredResource,
  resources: readonly StoredResource[],
  replaces: (resource: StoredResource, key: string) => boolean,
): StoredResource[] {
  const gone = new Set<StoredResource>([target]);
  for (const dependency of gone) {
    for (const resource of resources) {
      const fixedTo = Object.entries(resource.propertyDependencies).some(
        ([key, urns]) => urns.includes(dependency.urn) && replaces(resource, key),
      );
      if (!resource.replaced && resource.custom && (fixedTo || resource.deletedWith === dependency.urn)) {
        gone.add(resource);
      }
    }
  }
  gone.delete(target);
  return deletionOrder([...gone]);
}
