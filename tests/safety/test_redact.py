import pytest

from untwist.safety import redact


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to jane.doe+x@mail.example.com please", "write to [EMAIL] please"),
        ("邮箱是zhang_san@example.cn，谢谢", "邮箱是[EMAIL]，谢谢"),
        ("see https://example.com/me?id=3 now", "see [URL] now"),
        ("我的主页www.example.com，欢迎", "我的主页[URL]，欢迎"),
        ("call me at (555) 010-1234 tonight", "call me at [PHONE] tonight"),
        ("my number is +44 20 7946 0958.", "my number is [PHONE]."),
        ("手机13800138000找我", "手机[PHONE]找我"),
        ("电话 010-62345678 分机", "电话 [PHONE] 分机"),
        ("my ssn is 123-45-6789", "my ssn is [ID]"),
        ("身份证11010519491231002X的", "身份证[ID]的"),
        ("加我微信：abc_12345吧", "加我微信：[ACCOUNT]吧"),
        ("qq 123456789", "qq [ACCOUNT]"),
        ("My name is Anna Smith and I am sad", "My name is [NAME] and I am sad"),
        ("hi, I'm called Bob", "hi, I'm called [NAME]"),
        ("你好，我叫王小明，今年二十", "你好，我叫[NAME]，今年二十"),
        ("我的名字是李雷。", "我的名字是[NAME]。"),
    ],
)
def test_what_tells_who_someone_is_is_taken_out(text, clean):
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "I feel sad and I slept 5 hours in 3 days",
        "In 2019 I moved, in 2021 I moved again",
        "我今年25岁，三天没睡",
        "我叫他不要来",
        "I'm sad and I'm tired",
        "请拨打12356",
        "call 988",
        "微信群里没人理我",
    ],
)
def test_ordinary_words_and_help_lines_stay(text):
    assert redact(text) == text


def test_redacting_twice_changes_nothing_more():
    once = redact("My name is Anna, 13800138000, a@b.example")
    assert redact(once) == once
