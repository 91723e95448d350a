/** Elements from values. Text is always text: nothing here, or anywhere in this page, parses HTML. */

type Child = Node | string | number | null | false | undefined;
type Props = Readonly<Record<string, string | number | boolean | null | undefined | EventListener>>;

/** An element; `on...` properties are listeners, `true` is an empty attribute, null and false leave one out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") made.addEventListener(name.slice(2).toLowerCase(), value);
    else set(made, name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return made;
}

/** Sets an attribute, or removes it; does nothing when it is so already. */
export function set(element: Element, name: string, value: string | number | boolean | null | undefined): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== (value === true ? "" : String(value))) {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Replaces an element's children. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
}

/**
 * Runs an update that may make elements anew, and gives the focus back to the one that has the same words.
 * Without it, whoever goes by keyboard would start again from the top with each new instant.
 */
export function keepingFocus(within: HTMLElement, update: () => void): void {
  const focused = document.activeElement;
  update();
  if (!(focused instanceof HTMLElement) || focused === document.activeElement || within.contains(focused)) return;
  const words = (each: HTMLElement): string => `${each.tagName} ${each.title || each.textContent}`;
  const again = [...within.querySelectorAll<HTMLElement>("button, a, input, select")].find((each) => words(each) === words(focused));
  again?.focus({ preventScroll: true });
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A link that opens elsewhere, if its address is http, https or relative; else its text. */
export function link(address: string, text: string): HTMLElement {
  if (!isSafeAddress(address)) return h("span", {}, text);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** The server checks links as well; this page does not rely on it. */
export function isSafeAddress(address: string): boolean {
  if (!address) return false;
  try {
    return ["http:", "https:"].includes(new URL(address, "http://relative.invalid/").protocol);
  } catch {
    return false;
  }
}

const SVG = "http://www.w3.org/2000/svg";

/** Paths on a grid of 16. */
const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M12 2.5v11L3 8z",
  earlier: "M11 3v10L5 8zM3 3h1.5v10H3z",
  later: "M5 3v10l6-5zM11.5 3H13v10h-1.5z",
  previousMark: "M13 3v10L8 8zM8 3v10L3 8z",
  nextMark: "M3 3v10l5-5zM8 3v10l5-5z",
  loop: "M3 7a4 4 0 0 1 4-4h3V1l3.5 3L10 7V5H7a2 2 0 0 0-2 2H3zm10 2a4 4 0 0 1-4 4H6v2l-3.500-3L6 9v2h3a2 2 0 0 0 2-2z",
  close: "M3.500 2.500 8 7l4.500-4.500 1 1L9 8l4.500 4.500-1 1L8 9l-4.500 4.500-1-1L7 8 2.500 3.500z",
  filter: "M2 3h12L9.500 8.500V14l-3-1.500v-4z",
  theme: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 1.500v9a4.500 4.500 0 0 1 0-9z",
  pin: "M5 1.500h6l-1 1.500v4l2.500 3H8.700V15h-1.400v-5H3.500L6 7V3z",
  search: "M7 2a5 5 0 1 0 3 9l3.500 3.500 1-1L11 10a5 5 0 0 0-4-8zm0 1.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7z",
  save: "M7 2h2v6h2.500L8 11.500 4.500 8H7zM2.500 12.500h11V14h-11z",
  view: "M2 3h5v4H2zM9 3h5v4H9zM2 9h5v4H2zM9 9h5v4H9z",
  undo: "M6 2v3h4.5a4 4 0 0 1 0 8H5v-1.600h5.500a2.400 2.400 0 0 0 0-4.800H6v3L1.500 5.800z",
  redo: "M10 2v3H5.500a4 4 0 0 0 0 8H11v-1.600H5.500a2.400 2.400 0 0 1 0-4.800H10v3l4.500-3.800z",
  up: "M8 3l5 5h-3v5H6V8H3z",
} as const;

export type Icon = keyof typeof ICONS;

export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon; its title is also what a screen reader says. */
export function iconButton(name: Icon, title: string, onClick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", title, "aria-label": title, onClick }, icon(name));
}

function asNode(child: Child): Node | string {
  return typeof child === "number" ? String(child) : (child as Node | string);
}
