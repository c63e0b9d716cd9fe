"""python -m untwist."""

from untwist.cli.main import main

main()
