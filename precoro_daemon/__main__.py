"""entry point of `python -m precoro_daemon`"""

from precoro_daemon.cli import main

if __name__ == "__main__":
    main()
