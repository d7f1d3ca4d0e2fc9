/** Exit codes of the `slipway` command, as its help tells them. */
export const exitCodes = {
  /** What was asked for happened. */
  ok: 0,
  /** It was tried and did not go as expected. */
  failed: 1,
  /** It was asked for in a way that cannot be done: nothing was changed. */
  usage: 2,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
} as const;

export interface CliErrorDetails {
  /** What was given. Never a secret. */
  readonly received?: string;
  readonly accepted?: string;
  /** What to do about it. */
  readonly cure: string;
  /** Last lines of the log that tells the cause, and where the rest of it is. */
  readonly log?: { readonly title: string; readonly text: string };
  readonly exitCode?: number;
}

/** An error that is told to the user as it is, without a stack trace. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly details: CliErrorDetails,
  ) {
    super(message);
    this.name = "CliError";
  }

  get exitCode(): number {
    return this.details.exitCode ?? exitCodes.failed;
  }
}

/** The command has said what went wrong: only the exit code is left to be set. */
export class AlreadyTold extends CliError {
  constructor(exitCode: number) {
    super("", { cure: "", exitCode });
  }
}

/** A command line, or a file that it names, that cannot be followed. */
export function usageError(message: string, details: Omit<CliErrorDetails, "exitCode" | "log">): CliError {
  return new CliError(message, { ...details, exitCode: exitCodes.usage });
}

const logLines = 25;

/** The lines that are printed for an error: what, received, accepted, cure, log. */
export function describeError(error: unknown): string {
  if (!(error instanceof CliError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { received, accepted, cure, log } = error.details;
  const lines = [error.message];
  if (received !== undefined) lines.push(`  received: ${received}`);
  if (accepted !== undefined) lines.push(`  accepted: ${accepted}`);
  if (log !== undefined) {
    lines.push(`  ${log.title}:`, ...tail(log.text).map((line) => `    | ${line}`));
  }
  lines.push(`  cure: ${cure}`);
  return lines.join("\n");
}

function tail(text: string): string[] {
  return text.trimEnd().split("\n").slice(-logLines);
}
