"""Export: chapters as pages and decks of slides, opened from a file, with no kernel and no network.

``python -m kernelsim export`` writes them.  nbconvert turns notebooks into HTML here as it does
elsewhere; ours are the templates, the look, and what a file must not do: ask anybody for anything.
Everything that a page or a deck needs stands in that one file (docs/adr/0010-export.md).
"""
