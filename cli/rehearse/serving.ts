import { setTimeout as sleep } from "node:timers/promises";
import { answerLimitSeconds, type LoadPage, type LoadTarget } from "./load/plan";
import { makeAgent, request } from "./load/request";

const attempts = 3;

/**
 * Number of the release that serves; null when none does. Asked of the host itself: a rehearsal that was killed may
 * have shipped one without having written it down.
 */
export async function servingRelease(target: LoadTarget, pages: readonly LoadPage[]): Promise<number | null> {
  const path = pages[0]?.path ?? "/";
  for (let attempt = 1; ; attempt += 1) {
    const agent = makeAgent(target, false);
    const answer = await request({
      target,
      path,
      agent,
      limitSeconds: answerLimitSeconds,
      acceptRedirects: true,
    });
    if (answer.failure === undefined && answer.release !== undefined) return answer.release;
    // A refused connection is an answer: nobody is there.
    if (answer.status === undefined || attempt === attempts) return null;
    await sleep(200);
  }
}
