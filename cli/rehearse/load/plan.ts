/** Where the load goes: an address that is connected to, and the name it is asked for. */
export interface LoadTarget {
  /** `http` or `https` URL under which the app answers, such as `http://203.0.113.7`. */
  readonly url: string;
  /** Address to connect to instead of resolving the URL's name. @default the URL's host */
  readonly address?: string;
  /** Certificates (PEM) that are trusted for an `https` URL, besides none. @default those of Node */
  readonly ca?: string;
}

/** A page that is fetched over and over. */
export interface LoadPage {
  readonly path: string;
  /** Text that the body has to hold; `{release}` stands for the number in the release header. @default any body */
  readonly contains?: string;
}

/** A file that is posted as `multipart/form-data`. */
export interface LoadUpload {
  readonly path: string;
  /** Name of the form field that takes the file. */
  readonly field: string;
  /** Text that the answer has to hold. @default any body */
  readonly contains?: string;
}

/** What the load client does, and what it takes for a failure. */
export interface LoadPlan {
  readonly target: LoadTarget;
  readonly pages: readonly LoadPage[];
  /** Path of a view that takes about two seconds: two of these are in flight at any moment. @default none */
  readonly slow?: string;
  readonly upload?: LoadUpload;
  /** Takes redirects for good answers: for an app of which nothing is known. @default false */
  readonly acceptRedirects?: boolean;
  /** Number of the release that serves when the load starts; null when nothing does yet. */
  readonly from: number | null;
  /** Number of the release that is shipped meanwhile. */
  readonly to: number;
  /** Whether `to` is to take the traffic, or must never see any. */
  readonly expected: "serves" | "refused";
  /** An answer later than this is a failure. @default 5 */
  readonly answerLimitSeconds?: number;
  /** GET clients, half of them with keep-alive. @default 20 */
  readonly clients?: number;
  /** GET requests a second of all clients together. @default 180 */
  readonly requestsPerSecond?: number;
  /** How long the load goes on after the switch, so that a late answer of the old release is seen. @default 1.5 */
  readonly settleSeconds?: number;
}

/** When the load may end, once the release is through or refused. */
export interface LoadEnd {
  /** Goes on until this many requests were made. */
  readonly minRequests: number;
  /** Ends after this time whatever was reached, in seconds. */
  readonly withinSeconds: number;
}

/** A kind of failure, how often it was met, and when first, in seconds after the start of the release. */
export interface LoadFailure {
  readonly reason: string;
  readonly count: number;
  readonly firstAtSeconds: number;
}

/** A file that has to go on answering, and what is in it. */
export interface KeptFile {
  readonly path: string;
  readonly sha256: string;
  /** Whether a page named it, or the load client uploaded it. */
  readonly kind: "static" | "upload";
}

/** What the load client saw. */
export interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  readonly failures: readonly LoadFailure[];
  /** Longest time without a good answer, in milliseconds. */
  readonly longestGapMs: number;
  /** From the start of the release to the first answer of the new one; null when it never answered. */
  readonly secondsToServe: number | null;
  /** Slow requests that were in flight when the new release first answered, and were answered well. */
  readonly slowAcrossSwitch: number;
  /** Idle keep-alive connections that the server closed while a request was on its way: made again, as browsers do. */
  readonly reconnects: number;
  /** Some of the files that were uploaded, when the answers say under which `url` they are found. */
  readonly uploads: readonly KeptFile[];
  /** Good answers by release number. */
  readonly answers: Readonly<Record<string, number>>;
}

export const releaseHeader = "x-slipway-release";

/** An answer later than this is a failure, in seconds; a slow page may take as much longer as it is slow. */
export const answerLimitSeconds = 5;
/** As long as the edge lets requests wait for an app that cannot run twice, and as the first answer then takes. */
export const heldLimitSeconds = 35;
export const slowSeconds = 2;
export const defaultSettleSeconds = 1.5;
