import pytest

from untwist.safety import screen
from untwist.schema import Screening, Utterance
from untwist.taxonomy import Acuity, Risk


def heard(answer, question, *before):
    history = [*(Utterance(text, role="user") for text in before)]
    return screen(answer, [*history, Utterance(question, role="assistant")])


DIRECT_EN = [
    "Are you having thoughts of suicide?",
    "Has it got to the point where you think about ending your life?",
    "When you say you want it to stop, do you mean dying?",
    "Are you thinking of hurting yourself?",
    "Is there anything near you that you could use to hurt yourself?",
    "Is tonight the night you would do it?",
    "Have you taken something?",
    "Is anyone hurting you?",
    "Are the voices telling you to hurt someone?",
    "Sometimes people in such pain think about ending their life. Do you?",
    "On a scale from 0 to 10, how strong is the urge?",
]
DIRECT_ZH = [
    "你有过轻生的念头吗？",
    "是不是已经到了不想活的地步？",
    "你說想讓它停下來，意思是想死嗎？",
    "你現在手邊有可以用來傷害自己的東西嗎？",
    "你而家有冇諗住自殺？",
    "你係咪唔想生存落去？",
    "有冇人打你？",
    "你是不是已經吃了藥？",
    "声音有没有让你去伤害别人？",
    "從0到10，想結束生命的衝動有多強？",
]
ASKED = [
    *((q, DIRECT_EN, "en") for q in DIRECT_EN),
    *((q, DIRECT_ZH, "zh") for q in DIRECT_ZH),
]
YES = {
    "en": ["yes", "mhm", "a bit", "i guess", "sometimes", "most nights", "8", "since June, yes"],
    "zh": ["有", "嗯", "是的", "對", "有一點", "有諗過", "天天", "八"],
}
HEDGES = {
    "en": [
        "maybe",
        "i don't know",
        "not really",
        "what if I do",
        "...",
        "🤷",
        "no comment",
        "haha just kidding, chill",
        "anyway, how do you bake bread",
        "What is the capital of Peru?",
    ],
    "zh": ["不知道", "……", "可能吧", "算了，聊点别的", "我不想回答這題", "講笑咋", "当我没说"],
}
NO = {
    "en": ["no", "nope", "God no, nothing like that", "no, just tired"],
    "zh": ["没有", "沒有啦，只是累", "冇呀"],
}


@pytest.mark.parametrize(("question", "lang"), [(q, lang) for q, _, lang in ASKED])
def test_a_yes_in_any_words_to_a_safety_question_in_any_words_is_high(question, lang):
    assert {a: heard(a, question).level for a in YES[lang]} == dict.fromkeys(YES[lang], Risk.HIGH)


@pytest.mark.parametrize(("question", "lang"), [(q, lang) for q, _, lang in ASKED])
def test_who_does_not_say_no_to_a_safety_question_is_at_least_medium(question, lang):
    assert not [a for a in HEDGES[lang] if heard(a, question).level < Risk.MEDIUM]


@pytest.mark.parametrize(("question", "lang"), [(q, lang) for q, _, lang in ASKED])
def test_a_no_to_a_safety_question_is_not_a_crisis(question, lang):
    assert not [a for a in NO[lang] if heard(a, question).level > Risk.LOW]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you safe right now?", "no"),
        ("Can you keep yourself safe tonight?", "not really"),
        ("Could you promise to stay safe until tomorrow?", "No."),
        ("你现在安全吗？", "不安全"),
        ("你在家裡安全嗎？", "不"),
        ("你而家安唔安全？", "唔安全"),
    ],
)
def test_a_no_to_are_you_safe_is_high(question, answer):
    assert heard(answer, question).level is Risk.HIGH


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you safe right now?", "yes, I'm safe"),
        ("Do you feel safe at home?", "completely"),
        ("你现在安全吗？", "很安全"),
        ("你擔心別人的安全嗎？", "不擔心呀"),
    ],
)
def test_who_is_safe_is_not_in_a_crisis(question, answer):
    assert heard(answer, question).level <= Risk.LOW


@pytest.mark.parametrize(
    "question",
    [
        "Would you like a recipe?",
        "Do you have a plan for the weekend?",
        "How much do you believe the thought, 0 to 10?",
        "Do these thoughts help you?",
        "Are you scared of the exam?",
        "Have you taken your tablet this morning?",
        "Did you take something for the headache?",
        "Do you ever feel that you are not good enough?",
        "Can you put the phone away before bed?",
        "你周末有什么计划吗？",
        "今天吃东西了吗？",
        "這個想法你相信幾分？",
        "你怕考試嗎？",
        "你做了什麼，讓它成了？",
        "你仲想食嘢嗎？",
    ],
)
def test_whatever_is_answered_to_a_harmless_question_means_nothing(question):
    answers = ["yes", "no", "maybe", "8", "a bit", "...", "haha", "有", "嗯", "没有", "不知道"]
    assert not [a for a in answers if heard(a, question).level > Risk.NONE]


def test_of_two_questions_each_is_answered():
    said = heard("在，不安全", "他在你身边吗？你安全吗？")
    assert said.level is Risk.HIGH
    assert heard("yes", "How was work? Are you thinking about suicide?").level is Risk.HIGH


def test_which_of_two_is_answered_by_its_place():
    question = "Was that from training, or have you hurt yourself?"
    assert heard("second one", question).level is Risk.HIGH
    assert heard("后面那个", "你是身体累，还是想离开这个世界？").level is Risk.HIGH


def test_a_yes_about_someone_else_never_becomes_the_writers_own():
    for question in ("Has your sister said that she wants to die?", "她有说过不想活吗？"):
        assert heard("yes", question).acuity == (Acuity.THIRD_PARTY,)
    now = heard("有", "對方現在有危險嗎？")
    assert (now.level, now.acuity) == (Risk.HIGH, (Acuity.THIRD_PARTY,))


HIGH = {"en": "i want to die", "zh": "我想死"}


@pytest.mark.parametrize("turns", [1, 4])
@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "what's a good soup?"),
        ("en", "haha just kidding"),
        ("en", "thanks"),
        ("zh", "当我没说"),
        ("zh", "多謝你"),
        ("zh", "聽日會唔會落雨"),
    ],
)
def test_after_a_high_message_neither_a_joke_nor_thanks_nor_time_ends_the_care(lang, text, turns):
    history = [Utterance(HIGH[lang], role="user"), *[Utterance(text, role="user")] * (turns - 1)]
    assert screen(text, history).level is Risk.MEDIUM


def test_what_only_the_second_reader_heard_is_held_too():
    def second(text, own):
        return Screening(Risk.HIGH if "roof" in text else Risk.NONE, (), ("second",))

    history = [Utterance("the roof looked friendly", role="user")]
    assert screen("what's a good soup?", history, second).level is Risk.MEDIUM


@pytest.mark.parametrize(
    ("lang", "question", "answer"),
    [
        (
            "en",
            "Are you thinking about suicide?",
            "no, I'm not going to, I'm safe, my sister is here",
        ),
        ("en", "Are you safe right now?", "yes, I'm safe, my sister is here"),
        ("zh", "你现在安全吗？", "我很安全，姐姐在这里"),
        ("zh", "你有想過自殺嗎？", "沒有，我不會傷害自己，我媽在旁邊"),
    ],
)
def test_who_is_plainly_out_of_danger_is_believed_from_then_on(lang, question, answer):
    history = [Utterance(HIGH[lang], role="user"), Utterance(question, role="assistant")]
    assert screen(answer, history).level <= Risk.LOW
    later = [*history, Utterance(answer, role="user")]
    assert screen("thanks, what's a good soup?", later).level <= Risk.LOW


def test_a_safety_question_that_was_answered_long_ago_does_not_matter():
    history = [
        Utterance("Are you thinking about suicide?", role="assistant"),
        Utterance("no", role="user"),
        Utterance("Glad to hear. Do you like tea?", role="assistant"),
    ]
    assert screen("yes", history).level is Risk.NONE


def test_who_will_not_put_the_means_away_after_a_high_message_stays_high():
    question = "Could you move them somewhere else?"
    assert heard("no", question, HIGH["en"]).level is Risk.HIGH
