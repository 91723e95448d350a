/** Which language the page speaks. */

import { describe, expect, test } from "vitest";
import { chosenOf, languageOf, withoutLanguage } from "../src/controls/language";

describe("the language", () => {
  test("is that of the address, else the one that was chosen, else the first of the browser's that the page speaks", () => {
    expect(languageOf("?lang=zh", "en", ["en"])).toBe("zh");
    expect(languageOf("?kiosk&lang=en-GB", "zh", ["zh"])).toBe("en");
    expect(languageOf("?lang=tlh", "zh", ["en"])).toBe("zh");
    expect(languageOf("", "auto", ["fr-CH", "zh-Hans-CN", "en"])).toBe("zh");
    expect(languageOf("", "auto", ["en-US", "zh"])).toBe("en");
    expect(languageOf("", "auto", ["fr"])).toBe("en");
    expect(languageOf("", "auto", [])).toBe("en");
  });

  test("that is chosen takes the place of the address's, and nothing else of it", () => {
    expect(withoutLanguage({ pathname: "/mesh/", search: "?lang=zh", hash: "#/eu" })).toBe("/mesh/#/eu");
    expect(withoutLanguage({ pathname: "/", search: "?kiosk=30&lang=zh", hash: "" })).toBe("/?kiosk=30");
    expect(withoutLanguage({ pathname: "/", search: "?kiosk", hash: "" })).toBe("/?kiosk=");
  });

  test("that was kept is one that there is, or nothing was chosen", () => {
    expect(["zh", "en", "auto", "tlh", undefined, 7].map(chosenOf)).toEqual(["zh", "en", "auto", "auto", "auto", "auto"]);
  });
});
