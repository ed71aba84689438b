"""The work tree and its history in git, one thing a file; `repo.py` puts them together (ports.Repo)."""
