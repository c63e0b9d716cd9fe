import re

import pytest

from untwist.safety import screen
from untwist.safety.rules import LANGUAGES, compiled, rulebook
from untwist.taxonomy import Risk

RULES = rulebook().rules


def test_every_rule_has_a_name_of_its_own_in_the_house_form():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(rf"(?:{'|'.join(LANGUAGES)})-[a-z-]+-\d\d", name) for name in ids)


def test_every_rule_has_at_least_two_examples_of_each_kind():
    assert not [rule.id for rule in RULES if len(rule.fires) < 2 or len(rule.quiet) < 2]


def test_a_rule_never_says_none():
    assert all(rule.level > Risk.NONE for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_speaks_on_its_examples_and_on_no_counterexample(rule):
    assert not [text for text in rule.fires if rule.id not in screen(text).reasons]
    assert not [text for text in rule.quiet if rule.id in screen(text).reasons]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_pattern_has_a_gap_without_bounds(rule):
    patterns = [rule.pattern, *(scope.pattern for scope in rule.scopes)]
    assert not [p for p in patterns if re.search(r"(?<!\\)\.[*+]|\)[*+][*+]|\][*+]\)[*+]", p)]


@pytest.mark.parametrize("question", rulebook().questions, ids=lambda question: question.id)
def test_a_direct_question_is_known_from_other_questions(question):
    from untwist.text import normalize

    def first(text):
        folded = normalize(text).text
        found = (q.id for q in rulebook().questions if compiled(q.pattern).search(folded))
        return next(found, None)

    assert [first(text) for text in question.fires] == [question.id] * len(question.fires)
    assert [first(text) for text in question.quiet] == [None] * len(question.quiet)


def test_a_rule_of_plain_phrases_needs_no_pattern():
    from untwist.safety.rules import _heard_by

    anchors, pattern = _heard_by({"phrases": ["Done with breathing", "不如归去"]})
    assert anchors == ("done with breathing", "不如归去")
    heard = compiled(pattern)
    assert heard.search("i am done with breathing.")
    assert heard.search("真的不如归去了")
    assert not heard.search("undone with breathing")
    assert not heard.search("done with breathings")
