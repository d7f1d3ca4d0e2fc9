/** What a release left behind: printed by the host, kept there as one line of JSON, and an output of the release. */
export interface Receipt {
  /** Name of the app. */
  readonly app: string;
  /** Number of the release. */
  readonly release: number;
  /** `unchanged`: the same release was serving already, and no container was touched. */
  readonly result: "released" | "unchanged";
  /** Number of the release that served before; null for the first one. */
  readonly previous: number | null;
  /** The side that serves it; the next release takes the other one. */
  readonly colour: "blue" | "green";
  /** `name -> repository@sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
  /** Names of migrations, such as `shop.0002_price`. */
  readonly migrations: {
    /** Applied by this release. */
    readonly applied: readonly string[];
    /** Applied by later releases whose images this one went back behind: migrations are never reversed. */
    readonly kept: readonly string[];
  };
  /** Stateful services that started again, because the release changed their image or settings: away while they did. */
  readonly restarted: readonly string[];
  /** Seconds for each step. */
  readonly seconds: Readonly<Record<string, number>>;
  /** What ten requests a second through the edge saw; null for the first release. */
  readonly probe: {
    /** Requests that were sent. */
    readonly requests: number;
    /** Requests without an answer, or with a status of 500 or more. */
    readonly failed: number;
    /** Longest time between two good answers, in milliseconds. */
    readonly longestGapMs: number;
  } | null;
}

/** What a refused release prints on stderr as one line. The release that served goes on. */
export interface FailedReceipt {
  /** Name of the app. */
  readonly app: string;
  /** Number of the release that was refused. */
  readonly release: number;
  /** Tells it from the receipt of a release that succeeded. */
  readonly result: "failed";
  /** The step that failed, such as `gate`. */
  readonly step: string;
  /** Stable name of the cause, such as `gate-refused`. */
  readonly code: string;
  /** What went wrong, in a sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly cure: string;
  /** Number of the release that serves; null when none does. */
  readonly serves: number | null;
  /** `name -> repository@sha256:…` of the refused release. */
  readonly images: Readonly<Record<string, string>>;
  /** Stateful services that started again. They stay as the refused release has them until another one says otherwise. */
  readonly restarted: readonly string[];
  /** Seconds for each step that succeeded. */
  readonly seconds: Readonly<Record<string, number>>;
  /** What ten requests a second through the edge saw; null when it did not get to ask. */
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
