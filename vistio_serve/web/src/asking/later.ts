/** A part of the page that is loaded when it is first used: most who open the page never do. */

import type { Store } from "../store/store";
import { type Text, t } from "../texts/say";

export class Later<Part> {
  private loading: Promise<Part> | null = null;

  /** @param name what of the page it is, for whoever must be told that it cannot be had. */
  constructor(
    private readonly store: Store,
    private readonly name: Text,
    private readonly load: () => Promise<Part>,
  ) {}

  /** Once it is loaded; a load that went wrong is told, and tried again the next time. */
  async use(what: (part: Part) => void): Promise<void> {
    let part: Part;
    try {
      part = await (this.loading ??= this.load());
    } catch (error) {
      this.loading = null;
      return this.store.learn({ unloaded: t`${t(this.name)}: ${error instanceof Error ? error.message : String(error)}` });
    }
    if (this.store.snapshot.data.unloaded) this.store.learn({ unloaded: "" });
    what(part);
  }
}
