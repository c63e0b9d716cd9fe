"""Other people's formats, both ways; what a format cannot carry is counted, never dropped unseen.

Purpose: hand dialogues to tuning and annotation tools, and take them back.
Takes: dialogues, or files of one of the formats.
Gives: files with a count of what they lack; dialogues; each annotator's labels.
May import: the data room, schema, taxonomy, errors.
Heavy doors: to_datasets imports the library `datasets` when it is called.
"""

from untwist.data.convert.exchanges import Task
from untwist.data.convert.formats import FORMATS, Written, read, write
from untwist.data.convert.hf import from_datasets, to_datasets
from untwist.data.convert.labelstudio_export import read_label_studio
from untwist.data.convert.rows import to_row, write_jsonl

__all__ = [
    "FORMATS",
    "Task",
    "Written",
    "from_datasets",
    "read",
    "read_label_studio",
    "to_datasets",
    "to_row",
    "write",
    "write_jsonl",
]
