/** What a release left behind: printed by the host, kept there as one line of JSON, and an output of the release. */
export interface Receipt {
  readonly app: string;
  readonly release: number;
  /** `unchanged`: the same release was serving already, and no container was touched. */
  readonly result: "released" | "unchanged";
  /** The release that served before. */
  readonly previous: number | null;
  readonly colour: "blue" | "green";
  /** `name -> repository@sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
  readonly migrations: {
    /** Applied by this release. */
    readonly applied: readonly string[];
    /** Applied by later releases whose images this one went back behind: migrations are never reversed. */
    readonly kept: readonly string[];
  };
  /** Seconds for each step. */
  readonly seconds: Readonly<Record<string, number>>;
  /** What ten requests a second through the edge saw; null for the first release. */
  readonly probe: {
    readonly requests: number;
    readonly failed: number;
    readonly longestGapMs: number;
  } | null;
}

/** What a refused release prints on stderr as one line. The release that served goes on. */
export interface FailedReceipt {
  readonly app: string;
  readonly release: number;
  readonly result: "failed";
  readonly step: string;
  /** Stable name of the cause, such as `gate-refused`. */
  readonly code: string;
  readonly message: string;
  readonly cure: string;
  /** The release that serves. */
  readonly serves: number | null;
  readonly images: Readonly<Record<string, string>>;
  readonly seconds: Readonly<Record<string, number>>;
  readonly probe: Receipt["probe"];
  /** The last lines of the host's log, with secrets redacted. */
  readonly log: readonly string[];
}

/** The failed receipt inside the text of a failed command, or undefined when the script did not get to print one. */
export function findFailedReceipt(text: string): FailedReceipt | undefined {
  for (const line of text.split("\n")) {
    const start = line.indexOf('{"app":');
    if (start < 0) continue;
    try {
      const receipt = JSON.parse(line.slice(start)) as FailedReceipt;
      if (receipt.result === "failed") return receipt;
    } catch {
      // Not the receipt: some other line that looks like one.
    }
  }
  return undefined;
}
