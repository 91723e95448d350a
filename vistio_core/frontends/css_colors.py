"""Which texts are colours: those that CSS and the colour parser inside of Vizceral both know.

That parser (chroma-js 1.4) throws at anything else, and the page stays blank: no ``transparent``, no
units on angles, no spaces instead of commas.
"""

from __future__ import annotations

import re

_WHOLE, _SHARE, _DECIMAL = (
    r"\s*-?\d{1,5}\s*",
    r"\s*-?\d{1,5}(?:\.\d{1,9})?%\s*",
    r"\s*-?\d{1,5}(?:\.\d{1,9})?\s*",
)
_ALPHA = r"\s*(?:\d|\d?\.\d{1,9})\s*"
_CHANNELS = (f"{_WHOLE},{_WHOLE},{_WHOLE}", f"{_SHARE},{_SHARE},{_SHARE}")
_COLOR = re.compile(
    "|".join(
        [
            "#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})",
            *(rf"rgb\({channels}\)|rgba\({channels},{_ALPHA}\)" for channels in _CHANNELS),
            rf"hsl\({_DECIMAL},{_SHARE},{_SHARE}\)|hsla\({_DECIMAL},{_SHARE},{_SHARE},{_ALPHA}\)",
        ]
    ),
    re.IGNORECASE | re.ASCII,
)


def is_color(text: str) -> bool:
    """Whether ``text`` is a colour in CSS and in Vizceral alike."""
    return text.lower() in _NAMED or _COLOR.fullmatch(text) is not None


_NAMED = frozenset(
    """
    aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue
    blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk
    crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki
    darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen
    darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue
    dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite
    gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki
    lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan
    lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen
    lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen
    magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen
    mediumslateblue mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream
    mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid
    palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum
    powderblue purple rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown
    seagreen seashell sienna silver skyblue slateblue slategray slategrey snow springgreen
    steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen
    """.split()  # noqa: SIM905  148 words read better as words
)
