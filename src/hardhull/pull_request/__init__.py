"""The pull request: what a run did, brought to GitHub, kept current, never in anyone's way."""
