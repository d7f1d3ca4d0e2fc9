import type { Plain } from "../properties";

/** What a handler gets to know about the resource it works for. All values are plain. */
export interface ResourceCall {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly inputs: Plain;
  /** Aborted when the run is interrupted: whatever can be broken off should be. */
  readonly signal: AbortSignal;
  /** Says something to whoever watches. Never a secret. */
  readonly log: (line: string) => void;
}

/** The same for a resource that is there already. */
export interface ExistingCall extends ResourceCall {
  readonly id: string;
  /** The inputs with which it was created or last updated. For a deletion the same as `inputs`. */
  readonly oldInputs: Plain;
  readonly outputs: Plain;
}

export interface CreateResult {
  readonly id: string;
  /** Outputs beyond the inputs, which are repeated anyway. */
  readonly outputs?: Plain;
}

/** The local body of one resource type. */
export interface ResourceHandler {
  create(call: ResourceCall): Promise<CreateResult> | CreateResult;
  /** Changes it in place and returns its outputs. Without it every change replaces the resource. */
  update?(call: ExistingCall): Promise<Plain> | Plain;
  /** Without it there is nothing to clean up. */
  delete?(call: ExistingCall): Promise<void> | void;
  /** Whether what was created is still there; it may be woken up. @default it is taken for granted */
  stands?(call: ExistingCall): Promise<boolean> | boolean;
  /** Inputs whose change makes another resource of it; `*` stands for all. @default none */
  readonly replaceOn?: readonly string[];
  /** Outputs that the real provider marks as secret. @default none */
  readonly secretOutputs?: readonly string[];
  /** The real provider cannot have two of it at once. @default false */
  readonly deleteBeforeReplace?: boolean;
}

export type InvokeHandler = (inputs: Plain) => Promise<Plain> | Plain;

/** Everything that the sandbox knows how to carry out. */
export interface Provider {
  readonly resources: Readonly<Record<string, ResourceHandler>>;
  readonly invokes?: Readonly<Record<string, InvokeHandler>>;
}

let serial = 0;

/** A resource without a useful local body: it is written down and nothing else happens. */
export function recorded(
  options: Pick<ResourceHandler, "replaceOn" | "secretOutputs"> = {},
): ResourceHandler {
  return {
    ...options,
    create: ({ name }) => ({ id: `${name}-${Date.now().toString(36)}${(serial++).toString(36)}` }),
    update: () => ({}),
  };
}
