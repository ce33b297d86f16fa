"""``python -m kavg``, the same as the command ``kavg``."""

from kavg.cli import main

if __name__ == "__main__":
    main()
