import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untwist.errors import SafetyError
from untwist.safety import screen
from untwist.safety import screen as screen_function
from untwist.safety.rules import rulebook
from untwist.schema import Utterance
from untwist.taxonomy import Acuity, Risk

DANGER = [
    (text, rule.level)
    for rule in rulebook().rules
    for text in rule.fires[:1]
    if rule.level >= Risk.MEDIUM
]

ORDINARY = [
    "this homework is killing me",
    "i'm dying to see that film",
    "i nearly died laughing",
    "my phone died again",
    "i could kill for a coffee",
    "kill two birds with one stone",
    "what are the warning signs of suicide?",
    'in the novel the hero says "i want to die"',
    "i'm not suicidal, just tired",
    "笑死我了",
    "累死了，想睡觉",
    "想死你了",
    "气死我了，他又迟到",
    "打死我也不去",
    "自杀率是怎么统计的？",
    "歌词里唱“我想死”是什么意思",
    "我没有想死，只是累",
    "不会伤害自己的，放心",
]

PLAIN = [
    "i want to die",
    "My wife died two years ago and I want to die.",
    "I'm in high school and I want to kill myself",
    "I'm not going to lie, I want to die",
    "i used to be fine but now i want to die",
    "I used to be suicidal and now it's coming back",
    "I don't want to die but I don't want to live either",
    "my therapist asked if i was suicidal and i said no but i lied, i want to die",
    "我想死",
    "男朋友三年前去世，我想去陪他",
    "我上初中，不想活了",
    "和男朋友分手了想自杀",
    "我说我没事，可是我不想活了",
    "我唔想生存落去",
]

DISGUISED = [
    "I w a n t t o d i e",
    "i want to k.i.l.l m.y.s.e.l.f",
    "i want 2 d!e",
    "gonna s*icide",
    "su1c1dal again",
    "im gonna k1ll mys3lf",
    "i wnat to kikll myslef",
    "#iwanttodie",
    "i want to kill\nmyself",
    "ｉ ｗａｎｔ ｔｏ ｄｉｅ",
    "i want to d\u200bie",
    "i want to dіe",
    "wanna unalive myself",
    "lowkey ready to ctb",
    "im going to 💀 myself",
    "我想自.杀",
    "我想自 杀",
    "我，想，死",
    "我想4",
    "想噶了自己",
    "wo xiang si",
    "好想zs",
    "我想自鯊",
    "我想💀",
]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_wish_to_die_is_high_whatever_stands_beside_it(text):
    assert screen(text).level is Risk.HIGH


@pytest.mark.parametrize("text", DISGUISED)
def test_a_disguised_wish_to_die_is_high(text):
    assert screen(text).level is Risk.HIGH


@pytest.mark.parametrize("text", ORDINARY)
def test_a_figure_of_speech_a_denial_or_a_question_for_information_is_not_a_crisis(text):
    assert screen(text).level <= Risk.LOW


def test_an_empty_text_and_one_that_cannot_be_shown_carry_no_risk():
    assert screen("").level is Risk.NONE
    assert screen("\x00\ud800 \u200b").level is Risk.NONE


def test_characters_that_cannot_be_shown_hide_nothing():
    assert screen("i want to d\x00i\ud800e").level is Risk.HIGH


def test_what_is_not_text_raises_a_safety_error():
    with pytest.raises(SafetyError, match="help block"):
        screen(None)


def test_the_acuity_comes_in_the_order_of_the_scale():
    named = screen("i just took a whole bottle of pills and i want to die").acuity
    assert named == tuple(a for a in Acuity if a in named)
    assert {Acuity.ACTIVE, Acuity.ACTION_TAKEN, Acuity.MEDICAL} <= set(named)


def test_someone_else_at_risk_is_medium_and_named_so():
    heard = screen("my friend says she wants to die")
    assert (heard.level, heard.acuity) == (Risk.MEDIUM, (Acuity.THIRD_PARTY,))


def test_bereavement_is_not_a_third_party_at_risk():
    heard = screen("my brother died by suicide last spring")
    assert Risk.LOW <= heard.level <= Risk.MEDIUM
    assert Acuity.THIRD_PARTY not in heard.acuity


def test_despair_and_a_vague_farewell_together_are_high():
    assert screen("i feel completely hopeless").level is Risk.MEDIUM
    assert screen("this is goodbye i think").level is Risk.MEDIUM
    both = screen("i feel completely hopeless. this is goodbye i think")
    assert both.level is Risk.HIGH
    assert "en-together-01" in both.reasons


def test_the_same_message_gives_the_same_screening():
    assert len({screen(DANGER[0][0]) for _ in range(50)}) == 1


@pytest.mark.parametrize("shift", range(0, 700, 7))
def test_a_denial_in_a_long_text_is_not_cut_off_from_its_not(shift):
    long = f"{'a walk ' * (shift // 7)}on day {shift} she rested. "
    text = f"{long}{'We had soup by the lake. ' * 14}I'm fine, I really don't want to die. "
    assert screen(text + "We walk home at six and play cards. " * 30).level < Risk.HIGH


@pytest.mark.parametrize("lead", range(0, 900, 9))
def test_pieces_of_a_long_text_begin_and_end_between_words(lead):
    from untwist.safety.screen import _pieces

    words = "no I don't ever want to die and he isn't cross "
    text = "x" * (lead % 40) + " " + words * 60
    known = {*words.split(), "x" * (lead % 40)}
    assert {word for piece in _pieces(text) for word in piece.split()} <= known


def test_pieces_cover_a_text_without_a_place_to_cut():
    from untwist.safety.screen import _pieces

    assert max(len(piece) for piece in _pieces("y" * 5000)) <= 1000
    assert "".join(dict.fromkeys(_pieces("y" * 5000)))[:600] == "y" * 600


TRADITIONAL = {
    pair[1]: pair[0]
    for pair in __import__("importlib.resources", fromlist=["files"])
    .files("untwist")
    .joinpath("t2s.txt")
    .read_text(encoding="utf-8")
    .split()
    if len(pair) == 2
}

CHANGES = {
    "capitals": str.upper,
    "full width": lambda t: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in t),
    "zero width": lambda t: "\u200b".join(t),
    "emoji after": lambda t: t + " 🙂",
    "emoji before": lambda t: "🌧 " + t,
    "a benign sentence before": lambda t: "The weather was fine today. " + t,
    "a benign Chinese sentence before": lambda t: "今天天气不错。" + t,
    "a benign sentence after": lambda t: t.rstrip(".") + ". I had soup for lunch.",
    "a benign Chinese sentence after": lambda t: t + "。中午喝了汤。",
    "quotation marks": lambda t: f"“{t}”",
    "a worksheet": lambda t: f"Situation: at home\nThought: {t}\nFeeling: 80%",
    "Traditional script": lambda t: "".join(TRADITIONAL.get(c, c) for c in t),
    "blanks around": lambda t: f"  \n {t} \n ",
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_level_does_not_fall_when_the_text_is_dressed_up(change):
    dressed = [(text, CHANGES[change](text)) for text, _ in DANGER]
    assert [new for text, new in dressed if screen(new).level < screen(text).level] == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text(max_size=200))
def test_any_string_is_screened(text):
    assert screen_function(text).level in Risk


def said(*turns):
    return [Utterance(text, role=role) for role, text in turns]


HIGH = ("user", "i want to die")
ASK = ("assistant", "Are you thinking about suicide right now?")


def test_after_a_high_message_the_level_stays_medium_until_the_danger_is_cleared():
    assert screen("what's a good soup?", said(HIGH)).level is Risk.MEDIUM
    later = said(HIGH, ("user", "what's a good soup?"))
    assert screen("and a salad?", later).level is Risk.MEDIUM
    later += said(("user", "and a salad?"), ASK)
    cleared = screen("no, i'm not thinking about suicide any more, i'm safe", later)
    assert cleared.level <= Risk.LOW


def test_a_retraction_lowers_by_one_step_only():
    assert screen("just kidding, forget it", said(HIGH)).level is Risk.MEDIUM


def test_a_clear_no_to_a_direct_question_ends_the_stickiness():
    heard = screen("no, i'm not thinking about suicide, i was just tired", said(HIGH, ASK))
    assert heard.level <= Risk.LOW
    heard = screen(
        "没有，我不会自杀的", said(("user", "我想死"), ("assistant", "你有想过自杀吗？"))
    )
    assert heard.level <= Risk.LOW


def test_a_bare_no_lowers_by_one_step():
    assert screen("no", said(HIGH, ASK)).level is Risk.MEDIUM
    assert (
        screen("没有", said(("user", "我想死"), ("assistant", "你有想过自杀吗？"))).level
        is Risk.MEDIUM
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you thinking about suicide?", "yes"),
        ("Do you have a plan to end your life?", "yeah, i do"),
        ("Are you safe right now?", "no"),
        ("你有想过自杀吗？", "嗯"),
        ("你有想过自杀吗？", "有"),
        ("你打算结束自己的生命吗？", "是的"),
        ("你现在安全吗？", "不安全"),
    ],
)
def test_a_bare_answer_that_admits_danger_is_high(question, answer):
    heard = screen(answer, said(("user", "hi"), ("assistant", question)))
    assert heard.level is Risk.HIGH
    assert heard.acuity


def test_the_acuity_of_a_yes_is_what_was_asked():
    plan = screen("yes", said(("assistant", "Do you have a plan to end your life?")))
    assert plan.acuity == (Acuity.PLAN_OR_INTENT,)


def test_a_yes_about_someone_else_is_a_third_party():
    question = "Do you think he might be thinking about taking his own life?"
    heard = screen("yes i do", said(("assistant", question)))
    assert (heard.level, heard.acuity) == (Risk.MEDIUM, (Acuity.THIRD_PARTY,))


def test_a_yes_to_another_question_means_nothing():
    assert screen("yes", said(("assistant", "Would you like a recipe?"))).level is Risk.NONE
    assert screen("是的", said(("assistant", "你今天吃饭了吗？"))).level is Risk.NONE


def test_what_the_assistant_says_never_raises_the_level():
    assert screen("hello", said(("assistant", "I want to die"))).level is Risk.NONE


def test_a_question_must_be_the_last_thing_said():
    later = said(ASK, ("user", "what?"), ("assistant", "Would you like some tea?"))
    assert screen("yes", later).level is Risk.NONE


def test_a_new_disclosure_is_high_again():
    later = said(HIGH, ("user", "what's a good soup?"))
    assert screen("i really want to kill myself", later).level is Risk.HIGH


@pytest.mark.parametrize(
    "text",
    [
        '"I want to die"',
        'Automatic thought: "I want to die"',
        'I "want" to die',
        "I said 'I want to die'",
    ],
)
def test_marks_of_quotation_around_ones_own_words_do_not_lower_them(text):
    assert screen(text).level is Risk.HIGH


def test_words_of_another_in_marks_of_quotation_are_not_high():
    assert screen('the reading was "I want to die" and we clapped').level < Risk.HIGH


def test_a_million_characters_are_read_and_the_one_sentence_is_heard():
    text = " ".join(f"We met {i} people at the lake and had lunch." for i in range(20_000))
    heard = screen(text + " I want to kill myself. " + "Nice day. " * 1000)
    assert heard.level is Risk.HIGH
