"""A plain disclosure stays heard beside harmless words, and harmless words alone are not high."""

import pytest

from untwist.safety import screen
from untwist.taxonomy import Risk

DISCLOSURES = (
    "I want to die",
    "I really want to die",
    "I wanna die",
    "I want to be dead",
    "I wish I was dead",
    "I've wanted to die for weeks",
    "I have been wanting to die",
    "All I want is to die",
    "I need to die",
    "I don't want to live anymore",
    "I do not want to be alive",
    "I no longer want to live",
    "I want to kill myself",
    "I'm going to kill myself",
    "I'll kill myself",
    "I keep thinking about killing myself",
    "I might kill myself",
    "I've decided to kill myself",
    "I have a plan to kill myself",
    "I'm planning to end my life",
    "I want to end my life",
    "I want to take my own life",
    "I want to end it all",
    "I'm going to end it tonight",
    "I'm suicidal",
    "I feel suicidal",
    "I'm having suicidal thoughts",
    "I'm thinking about suicide",
    "I wrote a suicide note",
    "I took too many pills",
    "I've taken all my tablets",
    "I took an overdose",
    "I tried to kill myself last night",
    "I've been cutting myself",
    "I keep hurting myself on purpose",
    "I'm going to kill him tonight",
    "I am going to kill her and I mean it",
    "the voices tell me to kill myself",
    "voices are telling me to kill my mother",
    "he is hitting me right now",
    "my husband beats me",
)

NEUTRAL = {
    "small talk before": "Hi there. {}.",
    "small talk in one sentence": "Hi, {}.",
    "an exam before": "My exam is on Friday. {}.",
    "work before": "Work was busy today and my boss was late. {}.",
    "food after": "{}. I had soup for lunch.",
    "a film before": "We watched a film about dogs last night. {}.",
    "a song before": "I like that song. {}.",
    "a book after": "{}. The book on my desk is called Home.",
    "a quoted title": 'I am reading "The Long Road". {}.',
    "what someone said": "Mum said: 'tidy your room'. {}.",
    "a past story before": "Years ago we lived by the sea. {}.",
    "a past story after": "{}. When I was ten we had a dog.",
    "a healed story before": "Ten years ago I broke my leg and it healed well. {}.",
    "a recovery story before": "I was ill when I was young and got better. {}.",
    "thanks before": "Thanks for listening. {}.",
    "thanks after": "{}. Thank you, you have been kind.",
    "a worksheet": "Situation: at home\nThought: {}\nFeeling: sad, 80%",
    "a worksheet in one line": "Automatic thought: {}. Rating: 90.",
    "a birthday": "It is my sister's birthday party tomorrow. {}.",
    "a wedding after": "{}. My cousin's wedding is in May.",
    "a game before": "The game was on last night. {}.",
    "a pet before": "My cat sleeps on my desk. {}.",
    "a denial of something else": "I'm not hungry. {}.",
    "embarrassed to say it": "I'm embarrassed to say this. {}.",
    "but": "I have a good job and a nice flat, but {}.",
    "and now": "I used to be fine and now {}.",
    "a research job": "I work in research at a university. {}.",
    "a doctor's question": "My doctor asked how I sleep. {}.",
    "an essay after": "{}. I have an essay due on Monday.",
    "capitals and marks": "{}!!!",
    "someone else's view": "She thinks I'm fine, but {}.",
    "a loss in the same sentence": "My dog died and {}.",
    "a year in the past": "In 2019 I moved here. {}.",
    "a good year behind": "Last year was good, this year {}.",
    "in recovery": "I'm in recovery and {}.",
    "an age": "I'm in my thirties and {}.",
    "not a lie": "I'm not going to lie, {}.",
    "told to nobody": "I've never said this but {}.",
}

ABOUT_THE_WISH = {
    "a laugh after": "{} lol",
    "a laughing face": "{} 😂",
    "a laugh in a sentence of its own": "{}. Haha.",
    "taken back": "{}. Just kidding, forget it.",
    "made small": "{}, but it's probably nothing.",
    "long known": "{}, it's been like this for years.",
    "told a friend": "I told a friend. {}. She laughed.",
    "not the first time": "{}. It was the same when I was fifteen.",
}

ORDINARY = (
    "I'm going to kill it at the audition tonight",
    "my mum is going to kill me when she sees the grade",
    "I could kill my brother, he ate my lunch",
    "I want to die my hair copper",
    "cross my heart and hope to die",
    "so embarrassed I want to die",
    "I don't want to live with my parents anymore",
    "I don't want to be here, the office is freezing",
    "I wish I had never been born so close to Christmas",
    "everyone would be better off without me on the quiz team",
    "need to end my life as a renter",
    "I want to end my life here in London and move to Spain",
    "wanna end it all (my subscription, how do I cancel)",
    "I've decided, tonight's the night. The ring is in my pocket",
    "I'm planning to end my membership",
    "I'm killing myself for this job",
    "I almost killed myself tripping over the dog",
    "I hurt myself lifting the sofa",
    "I cut myself shaving",
    "cutting myself some slack today",
    "I took too many days off in March",
    "overdosed on cheese last night",
    "she beat me at tennis again",
    "my son hit me with a pillow",
    "he pushed me to apply",
    "my sat nav tells me to turn left",
    "the voices from the choir room are lovely",
    "kms from Oslo to Bergen by car?",
    "thoughts about the Suicide Squad film?",
    "the laptop just committed suicide",
    "When I was sixteen I tried to kill myself. I'm forty now and glad I stayed.",
    "I used to self harm in school, seven years behind me now",
    "Fifteen years ago I tried to end my life. Today my eldest started university.",
    'an old song has the line "I want to die in your arms"',
    "in my play the girl says I want to die and then laughs",
    "Do I want to die? No. Do I want to lie on the carpet until spring? Yes.",
    "No thoughts of ending things here, only thoughts of ending the gym contract",
    "never once did I think about killing myself, I think about moving house",
    "The form wanted to know how often I think about suicide. I put 'not at all'.",
    "Ten years ago today I tried to end my life. Today I'm baking with my daughter.",
    "My first husband beat me. My second makes the tea.",
    "I hurt myself on purpose for most of my teens, not since my first job.",
    "We'll jump off that bridge when we come to it",
    "I want to die every time I hear my own voicemail",
    "I'm going to end it tonight, my feud with the neighbour's hedge",
    "I took too many... photos of my lunch",
    "I've taken too much on, I'm scared I'll let people down",
    "he hits me for six every over, should I switch to spin?",
    "the ram hit me again, my husband filmed it",
    "Is 'I wish I were never born' second or third conditional?",
    "Which is correct: 'I want to end my life' or 'I want to finish my life'?",
    "the villain in season 4 hears voices telling him to burn the crops",
    "Chosen! They chose me to carry the flag at graduation",
    "My horse is self-harming, chewing his own tail",
    "I won't be alive by the time this council fixes the road",
    "no thoughts of suicide this week",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_sounds_like_danger_is_not_high(text):
    assert screen(text).level < Risk.HIGH


@pytest.mark.parametrize("text", DISCLOSURES)
def test_a_plain_disclosure_by_itself_is_high(text):
    assert screen(text).level is Risk.HIGH


@pytest.mark.parametrize("name", NEUTRAL)
def test_words_that_say_nothing_about_the_wish_do_not_lower_it(name):
    fell = [t for t in DISCLOSURES if screen(NEUTRAL[name].format(t)).level < Risk.HIGH]
    assert not fell


@pytest.mark.parametrize("name", ABOUT_THE_WISH)
def test_words_that_make_the_wish_small_leave_it_at_least_at_medium(name):
    fell = [t for t in DISCLOSURES if screen(ABOUT_THE_WISH[name].format(t)).level < Risk.MEDIUM]
    assert not fell


@pytest.mark.parametrize("text", DISCLOSURES)
def test_a_disclosure_at_the_end_of_a_long_harmless_text_is_heard(text):
    long = " ".join(f"On day {i} we walked to the lake and had soup." for i in range(40))
    assert screen(f"{long} {text}. See you.").level is Risk.HIGH
