"""What the site's search takes for a word, in English and in Chinese.

Sphinx has one language for all pages and finds words between spaces, of which Chinese has none. So a run of Chinese
characters is each character and each pair of neighbours: `录制流量` is found by `录制`, `制流`, `流量`, `录`, and the
whole by its three pairs. The index (Python) and what is typed (JavaScript, in the page) are split alike.
"""

from __future__ import annotations

import re

from sphinx.search.en import SearchEnglish

_RUN = re.compile("[\u3400-\u9fff]+")


def chinese_terms(run: str) -> list[str]:
    """The characters and pairs of a run without spaces."""
    return [*run, *(run[place : place + 2] for place in range(len(run) - 1))]


class EnglishAndChinese(SearchEnglish):
    """English, with its stems and stop words, and Chinese beside it."""

    lang = "english-chinese"
    language_name = "English"  # by which Sphinx finds the stemmer in the page, too
    # Of what is typed the pairs alone are asked for: all of them must be on the page.
    js_splitter_code = r"""
function splitQuery(query) {
  const found = [];
  for (const word of query.match(/[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])[\p{Letter}\p{Number}_])+/gu) ?? []) {
    if (!/^[\u3400-\u9fff]{2}/u.test(word)) found.push(word);
    else for (let place = 0; place + 2 <= word.length; place++) found.push(word.slice(place, place + 2));
  }
  return found;
}
"""

    def split(self, input: str) -> list[str]:
        found = []
        for word in super().split(_RUN.sub(lambda run: f" {run[0]} ", input)):
            found += chinese_terms(word) if _RUN.fullmatch(word) else [word]
        return found
