import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Ledger, type Sample } from "./ledger";
import {
  answerLimitSeconds,
  defaultSettleSeconds,
  type KeptFile,
  type LoadEnd,
  type LoadPlan,
  type LoadReport,
  slowSeconds,
} from "./plan";
import { type Answer, makeAgent, request } from "./request";
import { uploadOnce } from "./upload";

const uploadEveryMs = 400;
const paceAtTheEnd = 2;
const keptUploads = 3;

/** The clients of one load: they start at once, and go on until `finish` lets them end. */
export class Load {
  private readonly ledger: Ledger;
  private readonly running: Promise<void>[] = [];
  private readonly kept: KeptFile[] = [];
  private stopping = false;
  private pace = 1;

  constructor(private readonly plan: LoadPlan) {
    this.ledger = new Ledger(plan, performance.now());
    if (plan.from === null) this.spawn(this.waitForFirst());
    else this.startClients();
  }

  /** The release starts now. */
  mark(): void {
    this.ledger.mark(performance.now());
  }

  /** Goes on until the end is reached, lets what is in flight come home and says what was seen. */
  async finish(end: LoadEnd): Promise<LoadReport> {
    // The release is through: the machine has nothing else to do, and only the count may be missing.
    this.pace = paceAtTheEnd;
    const deadline = performance.now() + end.withinSeconds * 1000;
    const enough = (): boolean =>
      this.ledger.count >= end.minRequests && (this.plan.expected === "refused" || this.ledger.switched);
    const earliest = performance.now() + (this.plan.expected === "serves" ? this.settleMs : 0);
    while (performance.now() < deadline && !(enough() && performance.now() >= earliest)) await sleep(50);
    this.stopping = true;
    this.ledger.close(performance.now());
    await Promise.all(this.running);
    return { ...this.ledger.report(), uploads: this.kept };
  }

  private startClients(): void {
    const clients = this.plan.clients ?? 20;
    const everyMs = (clients * 1000) / (this.plan.requestsPerSecond ?? 180);
    for (let index = 0; index < clients; index += 1) {
      this.spawn(this.pages(index, everyMs, (index * everyMs) / clients));
    }
    if (this.plan.slow !== undefined) {
      this.spawn(this.slowPages(this.plan.slow, 0), this.slowPages(this.plan.slow, this.settleMs / 2));
    }
    if (this.plan.upload !== undefined) this.spawn(this.uploads(this.plan.upload));
  }

  private get settleMs(): number {
    return (this.plan.settleSeconds ?? defaultSettleSeconds) * 1000;
  }

  private spawn(...clients: Promise<void>[]): void {
    this.running.push(...clients);
  }

  private async waitForFirst(): Promise<void> {
    const agent = makeAgent(this.plan.target, false);
    while (!this.stopping && !this.ledger.switched) {
      await this.page(0, agent);
      if (!this.ledger.switched) await sleep(50);
    }
    if (!this.stopping) this.startClients();
  }

  private async pages(index: number, everyMs: number, offsetMs: number): Promise<void> {
    const agent = makeAgent(this.plan.target, index % 2 === 0);
    let due = performance.now() + offsetMs;
    for (let turn = index; !this.stopping; turn += 1) {
      await sleep(Math.max(0, due - performance.now()));
      // A client that was held up does not make up for it by a burst: that would hide what slow means.
      due = Math.max(due, performance.now() - everyMs) + everyMs / this.pace;
      if (!this.stopping) await this.page(turn, agent);
    }
    agent.destroy();
  }

  private get limitSeconds(): number {
    return this.plan.answerLimitSeconds ?? answerLimitSeconds;
  }

  private async page(turn: number, agent: ReturnType<typeof makeAgent>): Promise<void> {
    const page = this.plan.pages[turn % this.plan.pages.length];
    if (page === undefined) throw new Error("the load plan names no page");
    const { target, acceptRedirects } = this.plan;
    const limitSeconds = this.limitSeconds;
    await this.record("page", request({ target, ...page, agent, acceptRedirects, limitSeconds }));
  }

  private async slowPages(path: string, offsetMs: number): Promise<void> {
    await sleep(offsetMs);
    const agent = makeAgent(this.plan.target, false);
    const limitSeconds = this.limitSeconds + slowSeconds;
    while (!this.stopping) {
      await this.record("slow", request({ target: this.plan.target, path, agent, limitSeconds }));
    }
  }

  private async uploads(upload: NonNullable<LoadPlan["upload"]>): Promise<void> {
    while (!this.stopping) {
      const posted = await this.record("upload", uploadOnce(this.plan.target, upload, this.limitSeconds));
      if (posted.kept && this.kept.length < keptUploads) this.kept.push(posted.kept);
      await sleep(uploadEveryMs);
    }
  }

  private async record<T extends Answer>(kind: Sample["kind"], pending: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const answer = await pending;
    const { release, failure, reconnected } = answer;
    this.ledger.add({ kind, startedAt, endedAt: performance.now(), release, failure, reconnected });
    return answer;
  }
}
