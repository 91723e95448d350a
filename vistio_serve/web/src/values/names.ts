/**
 * How names are shown: what cannot be seen in them, or not be told apart, as what it is. Pure.
 *
 * The same as `vistio_core/names.py`, which tells why; `vistio_serve/web/test/visible_names.json` holds both to it. Keys, links and
 * what is asked of the server have names as they were recorded.
 */

// Whatever neighbours it has: controls and blanks, marks upon letters, what turns text around, what is no character.
const ALWAYS = new RegExp("[" + [
  "\\u{0}-\\u{1f}\\u{7f}-\\u{a0}\\u{ad}",
  "\\u{300}-\\u{36f}\\u{1ab0}-\\u{1aff}\\u{1dc0}-\\u{1dff}\\u{20d0}-\\u{20ff}\\u{fe20}-\\u{fe2f}\\u{3099}\\u{309a}",
  "\\u{61c}\\u{115f}\\u{1160}\\u{1680}\\u{17b4}\\u{17b5}\\u{180b}-\\u{180f}\\u{2000}-\\u{200f}\\u{2028}-\\u{202f}\\u{205f}-\\u{206f}",
  "\\u{2800}\\u{3000}\\u{3164}\\u{ffa0}\\u{feff}\\u{fff0}-\\u{fffb}\\u{fe00}-\\u{fe0f}",
  "\\u{d800}-\\u{dfff}\\u{e000}-\\u{f8ff}\\u{fdd0}-\\u{fdef}\\u{fffe}\\u{ffff}",
  "\\u{1bca0}-\\u{1bca3}\\u{1d159}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}",
  "\\u{f0000}-\\u{10ffff}",
  ...Array.from({ length: 14 }, (_, plane) => `\\u{${(plane + 1).toString(16)}fffe}\\u{${(plane + 1).toString(16)}ffff}`),
].join("") + "]", "u");
// Nearly all names are of these, with single blanks inside.
const PLAIN = /^[!-[\]-~]+(?: [!-[\]-~]+)*$/;
const MARK = /^\p{M}$/u;
const LETTER_OR_MARK = /^[\p{L}\p{M}]$/u;

/** The name as people shall see it: `\u202e` or `\u{e0001}` for what they could not. No two are shown alike. */
export function visible(name: string): string {
  if (PLAIN.test(name)) return name;
  const characters = [...name];
  return characters.map((character, index) => (hides(character, characters[index - 1] ?? " ", characters[index + 1] ?? "") ? escaped(character) : character)).join("");
}

/** Whether a character is not seen for what it is, beside its neighbours; a blank stands before a name. */
function hides(character: string, before: string, after: string): boolean {
  if (character === " ") return before === " " || after === "";
  if (character === "\\") return after === "u";
  if (character >= "!" && character <= "~") return false;
  if (ALWAYS.test(character)) return true;
  if (MARK.test(character) && !LETTER_OR_MARK.test(before)) return true;
  // Alone or with its neighbour another spelling of the same letter.
  return composed(character) !== character || composed(before + character) !== composed(before) + character;
}

function composed(text: string): string {
  return text.normalize("NFC");
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
}
