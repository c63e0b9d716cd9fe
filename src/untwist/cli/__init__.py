"""The command line.

Purpose: one file per command; each parses, calls one public function, prints and exits.
Takes: arguments, JSON Lines files, standard input.
Gives: data on stdout, messages on stderr, exit 0 (fine), 1 (a mistake or a failed item), 2 (usage).
May import: everything below; commands are loaded when they are called.
Heavy doors: none yet.
"""
