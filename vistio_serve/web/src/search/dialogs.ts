/** The dialogs that most people never open: loaded together, when one of them is first used. */

export { ExportView } from "../controls/export";
export { MarksView } from "../controls/marks";
export { POSTER_SCALE, posterOf } from "../controls/poster";
export { SearchView } from "./search";
