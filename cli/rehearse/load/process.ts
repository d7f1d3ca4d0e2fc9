import { Load } from "./clients";
import type { LoadEnd, LoadPlan, LoadReport } from "./plan";

/** What the parent tells the load process, and what it answers. */
export type LoadOrder =
  | { readonly kind: "start"; readonly plan: LoadPlan }
  | { readonly kind: "mark" }
  | { readonly kind: "finish"; readonly end: LoadEnd };
export type LoadWord =
  | { readonly kind: "ready" }
  | { readonly kind: "started" }
  | { readonly kind: "report"; readonly report: LoadReport };

function say(word: LoadWord, then?: () => void): void {
  process.send?.(word, undefined, undefined, () => then?.());
}

let load: Load | undefined;

function obey(order: LoadOrder): void {
  switch (order.kind) {
    case "start":
      load = new Load(order.plan);
      say({ kind: "started" });
      return;
    case "mark":
      load?.mark();
      return;
    case "finish":
      void load?.finish(order.end).then((report) => {
        say({ kind: "report", report }, () => process.disconnect());
      });
  }
}

process.on("message", obey);
// Ctrl-C reaches the whole process group: the parent decides when the load ends, and takes this process with it.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
say({ kind: "ready" });
