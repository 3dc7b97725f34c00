"""Let `python -m fastws` work like `fastws`."""

from fastws.cli import main

if __name__ == "__main__":
    main()
