"""untwist hears cognitive distortions in English and Chinese, notices risk, and answers with care.

from untwist import Engine, detect, reply, screen
"""

from untwist.engine import Engine, detect, load_detector, reply
from untwist.errors import UntwistError
from untwist.safety import screen
from untwist.schema import Assessment, Turn, Utterance
from untwist.taxonomy import Acuity, Distortion, Intensity, Risk, Strategy

__version__ = "0.1.0"

__all__ = [
    "Acuity",
    "Assessment",
    "Distortion",
    "Engine",
    "Intensity",
    "Risk",
    "Strategy",
    "Turn",
    "UntwistError",
    "Utterance",
    "detect",
    "load_detector",
    "reply",
    "screen",
]
