// A light, steady load for tests in which many releases follow each other: it knows no release in advance, and says of
// any stretch of time what answered.
import { setTimeout as sleep } from "node:timers/promises";
import { releaseHeader, type LoadTarget } from "../../../cli/rehearse/load/plan";
import { makeAgent, request, type Answer } from "../../../cli/rehearse/load/request";

export interface Seen {
  readonly requests: number;
  /** Why requests failed. */
  readonly failures: readonly string[];
  /** The releases that answered. */
  readonly releases: readonly number[];
}

const clients = 4;
const pauseMs = 200;

export class Prober {
  private readonly running: readonly Promise<void>[];
  private readonly pending = new Set<Promise<Answer>>();
  private answers: Answer[] = [];
  private stopped = false;

  constructor(
    private readonly target: LoadTarget,
    private readonly pages: readonly string[],
    private readonly limitSeconds = 5,
  ) {
    this.running = Array.from({ length: clients }, (_, index) => this.client(index));
  }

  /** What was seen since this was last asked; every request that was sent until now is in it. */
  async take(): Promise<Seen> {
    await Promise.all(this.pending);
    const { answers } = this;
    this.answers = [];
    const releases = new Set(answers.flatMap(({ release }) => release ?? []));
    const failures = answers.flatMap(
      ({ failure, release }) => failure ?? (release === undefined ? `no ${releaseHeader}` : []),
    );
    return { requests: answers.length, failures, releases: [...releases].sort((a, b) => a - b) };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  /** One after the other, every second client over one connection for as long as the server keeps it. */
  private async client(index: number): Promise<void> {
    const keepAlive = index % 2 === 0;
    const agent = makeAgent(this.target, keepAlive);
    for (let turn = index; !this.stopped; turn += 1) {
      const next = sleep(pauseMs);
      const path = this.pages[turn % this.pages.length] ?? "/";
      const asked = request({ target: this.target, path, agent, limitSeconds: this.limitSeconds });
      this.pending.add(asked);
      const answer = await asked;
      const connection = keepAlive ? "a kept connection" : "a new connection";
      this.answers.push(
        answer.failure ? { ...answer, failure: `${answer.failure} on ${connection}` } : answer,
      );
      this.pending.delete(asked);
      await next;
    }
    agent.destroy();
  }
}
