import { Listr, type ListrTask, PRESET_TIMER } from "listr2";

/** A step as whoever shows it sees it. */
export interface ProgressStep {
  readonly title: string;
  readonly run: (log: (line: string) => void) => Promise<void>;
}

/** Runs groups of steps one after the other, the steps of one group beside each other. Rejects when a step does. */
export type Progress = (groups: readonly (readonly ProgressStep[])[]) => Promise<void>;

/** Live in a terminal, plain lines anywhere else. */
export const listrProgress: Progress = async (groups) => {
  const tasks = groups.flatMap((group): ListrTask[] => {
    if (group.length < 2) return group.map(asTask);
    return [{ task: (_, parent) => parent.newListr(group.map(asTask), { concurrent: true }) }];
  });
  await new Listr(tasks, {
    // The rehearsal itself decides what Ctrl-C means.
    registerSignalListeners: false,
    renderer: "default",
    fallbackRenderer: "verbose",
    fallbackRendererCondition: () => !process.stdout.isTTY,
    rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
    fallbackRendererOptions: { timer: PRESET_TIMER, logTitleChange: false },
  }).run();
};

function asTask({ title, run }: ProgressStep): ListrTask {
  return {
    title,
    task: (_, task) => run((line) => void (task.output = line)),
  };
}
