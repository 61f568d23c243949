"""HTML pages, parsed, and names that would break a page."""

import json
from html.parser import HTMLParser

EVIL = [
    "<script>alert(1)</script>",
    '"]}',
    "</script><!--",
    "<!--<script>",
    "]]>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp;",
    "$data ${style} $$",
    "' onload='alert(1)",
    "line\nbreak\r\n\ttab",
    "\u2028\u2029\u202e\x00\x1b\x7f\x85",
    "\ud800 half\ufeff\ufffe\uffff\ufdd0\U0010ffff",
    "\u00e9\u4e2d\U0001f600",
    "",
    "",
    "\\u003c \\",
]


class Page(HTMLParser):
    """Tags with attributes, and the text in each."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts = [], []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data

    def text(self, tag, **attrs):
        found = [
            text
            for (its_tag, its_attrs), text in zip(self.tags, self.texts)
            if its_tag == tag and attrs.items() <= its_attrs.items()
        ]
        assert len(found) == 1
        return found[0]

    def data(self):
        return json.loads(self.text("script", id="data"))
