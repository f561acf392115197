"""Rich text: what an editor and a clipboard bring, and what is left of it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import rich_text

PICTURE = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "typed",
    [
        "<p>请带<strong>身份证</strong>，<em>不用</em>带照片。<br>谢谢。</p>",
        "<h2>怎么办</h2><ol><li>打开手机</li><li>点认证</li></ol><blockquote>不收费</blockquote>",
        '<table><tbody><tr><th colspan="2">日期</th></tr><tr><td>3月1日</td><td>3月2日</td></tr></tbody></table>',
        f'<p><img data-file="{PICTURE}" alt="流程图"></p>',
    ],
)
def test_what_a_notice_needs_comes_through_as_it_was_written(typed):
    assert rich_text.clean(typed) == typed


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("<p onclick='x()'>甲<script>alert(1)</script>乙</p>", "<p>甲乙</p>"),
        ("<style>p{display:none}</style><p style='color:#eee' class='small'>甲</p>", "<p>甲</p>"),
        ('<a href="javascript:alert(1)">甲</a>', '<a rel="noopener noreferrer">甲</a>'),
        ('<a href="data:text/html,x">甲</a>', '<a rel="noopener noreferrer">甲</a>'),
        ('<a href="/admin">甲</a>', '<a rel="noopener noreferrer">甲</a>'),
        ("<iframe src='https://example.com'></iframe><p>甲</p>", "<p>甲</p>"),
        ("<form action='x'><input name=password>甲</form>", "甲"),
        ("<svg><script>alert(1)</script></svg><p>甲</p>", "<p>甲</p>"),
        ("<!-- 给同事看的 --><p>甲</p>", "<p>甲</p>"),
        ("<font color=red><span>甲</span></font>", "甲"),
        ("<td colspan='9999'>甲</td>", "甲"),
    ],
)
def test_what_could_do_something_or_spoil_the_page_is_dropped(typed, left):
    assert rich_text.clean(typed) == left


def test_a_link_leads_to_the_web_or_dials_and_does_not_tell_where_it_was_clicked():
    assert rich_text.clean('<a href="https://www.mohrss.gov.cn/a" target="_blank">人社部</a>') == (
        '<a href="https://www.mohrss.gov.cn/a" rel="noopener noreferrer">人社部</a>'
    )
    assert 'href="tel:12333"' in rich_text.clean('<a href="tel:12333">12333</a>')


@pytest.mark.parametrize(
    "picture",
    [
        '<img src="https://example.com/pixel.gif" alt="统计">',
        '<img src="data:image/png;base64,AAAA">',
        '<img src="file:///C:/tmp/1.png" alt="a>b">',
        f'<img data-file="{PICTURE}0">',
        "<img data-file=\"x' onerror='alert(1)\">",
        '<img alt=" data-file=">',
    ],
)
def test_a_picture_that_does_not_lie_with_the_notice_is_dropped_whole(picture):
    assert rich_text.clean(f"<p>甲{picture}乙</p>") == "<p>甲乙</p>"


def test_a_picture_keeps_its_name_and_loses_its_address():
    assert rich_text.clean(f'<img src="blob:x" data-file="{PICTURE}" width="9000" alt="图">') == (
        f'<img data-file="{PICTURE}" alt="图">'
    )


class Seen(HTMLParser):
    """The tags of a text, each with the names of its attributes."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name for name, _ in attrs}))


PIECES = (
    *(
        "<p>",
        "</p>",
        "<img ",
        "<a ",
        "<table>",
        "<td ",
        "<svg>",
        "<math>",
        "<style>",
        "<!--",
        "-->",
        "<b",
        ">",
        "/>",
        "甲",
    ),
    *(
        "src=x ",
        "onerror=x ",
        f'data-file="{PICTURE}" ',
        'data-file="x" ',
        'alt="<img src=x>" ',
        "href='",
        "javascript:",
    ),
    *('"', "'"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_whatever_is_pasted_only_known_tags_and_attributes_are_left(text):
    left = rich_text.clean(text)
    parser = Seen()
    parser.feed(left)
    for tag, attributes in parser.tags:
        assert tag in (*rich_text.BLOCKS, *rich_text.INLINE), left
        assert attributes <= {"href", "rel", "data-file", "alt", "colspan", "rowspan"}, left
        assert tag != "img" or "data-file" in attributes, left


def test_the_words_of_a_text_stand_in_lines_and_a_bold_word_is_not_torn():
    html = (
        "<h2>养老<strong>金</strong></h2><p>甲&amp;乙 &lt;丙&gt;</p>"
        "<ul><li>一</li><li>二</li></ul><table><tr><td>三</td><td>四</td></tr></table>"
    )
    assert rich_text.plain(rich_text.clean(html)) == "养老金\n甲&乙 <丙>\n一\n二\n三\n四"
