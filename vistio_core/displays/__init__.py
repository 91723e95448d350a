"""How values show themselves in a notebook: HTML from plain tables and texts. Pure.

A class gives what it knows (Arrow tables, lines of text) and gets a fragment of HTML: nothing here knows of a class, of
Jupyter or of a file. Whatever comes from outside is escaped by `html.text`, the only way into a fragment. Colours
are the page's own ink and a few that can be read on dark and on light; none of them says anything alone.
"""
