/** Whether anybody sees the page: a hidden one asks nothing. */

/** As much of a document as tells it. */
export type Page = Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;

/** Resolves once somebody sees the page, at once where somebody does. */
export function whenSeen(page: Page): Promise<void> {
  if (!page.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = (): void => {
      if (page.hidden) return;
      page.removeEventListener("visibilitychange", look);
      resolve();
    };
    page.addEventListener("visibilitychange", look);
  });
}
