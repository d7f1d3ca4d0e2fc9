/** What happened to a resource. In a preview: what would happen. */
export type ResourceAction = "created" | "updated" | "replaced" | "unchanged" | "deleted";

export interface ResourceIdentity {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

/** Something begins that may take a while. */
export interface StartedEvent extends ResourceIdentity {
  readonly kind: "started";
  readonly operation: "create" | "update" | "replace" | "delete";
}

export interface ResourceEvent extends ResourceIdentity {
  readonly kind: "resource";
  readonly action: ResourceAction;
  readonly seconds: number;
  /** Why: the inputs that changed, a trigger, that it left the program. */
  readonly reason?: string;
}

export interface FailedEvent extends ResourceIdentity {
  readonly kind: "failed";
  readonly message: string;
  readonly seconds: number;
}

/** A line from a resource at work (`name` set), from the program's own output, or from the sandbox. */
export interface LogEvent {
  readonly kind: "log";
  readonly source: "resource" | "program" | "sandbox";
  readonly line: string;
  readonly name?: string;
}

export type EngineEvent = StartedEvent | ResourceEvent | FailedEvent | LogEvent;

export type Changes = Record<ResourceAction, number>;

export function noChanges(): Changes {
  return { created: 0, updated: 0, replaced: 0, unchanged: 0, deleted: 0 };
}
