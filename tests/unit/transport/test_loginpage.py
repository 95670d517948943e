"""What people are told whom a node does not know."""

from concurrent.core.errors import NotAllowed
from concurrent.transport.web.loginpage import login_page


def test_it_says_what_opens_the_page_of_just_this_node() -> None:
    assert "<code>concurrent open -m 127.0.0.1:9000</code>" in login_page(
        NotAllowed("who is it"), "127.0.0.1:9000"
    )


def test_what_a_stranger_sends_is_no_part_of_the_page() -> None:
    text = login_page(NotAllowed("<b>"), "<script>")
    assert "<b>" not in text
    assert "<script>" not in text
