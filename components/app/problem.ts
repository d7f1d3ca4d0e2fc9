/** One thing that is wrong with what the user wrote, and what to do about it. Never holds a secret value. */
export interface Problem {
  /** Where: the path of an argument, or of a key in a file, such as `compose: services.web.network_mode`. */
  readonly path: string;
  /** What was found there. */
  readonly received: string;
  /** What would be right there. */
  readonly accepted: string;
  /** What to do. */
  readonly cure: string;
}

/** Every problem on a line of its own: path, received, accepted, cure. */
export function formatProblems(component: string, problems: readonly Problem[]): string {
  const lines = problems.map(
    ({ path, received, accepted, cure }) =>
      `  ${path}: received ${received}; accepted: ${accepted}. Cure: ${cure.replace(/\.$/, "")}.`,
  );
  return [`${component} was given what it cannot ship:`, ...lines].join("\n");
}

/** Thrown with all problems at once, so that nobody has to find them one run at a time. */
export class ProblemsError extends Error {
  constructor(
    component: string,
    readonly problems: readonly Problem[],
  ) {
    super(formatProblems(component, problems));
    this.name = "ProblemsError";
  }
}

/** Throws when there is a problem. */
export function refuseProblems(component: string, problems: readonly Problem[]): void {
  if (problems.length > 0) {
    throw new ProblemsError(component, problems);
  }
}
