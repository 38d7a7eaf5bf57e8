"""The bench: our daemon beside others. README.md explains its results.

run         the command
world       a folder, the programs, an upstream, load, and what a process cost
candidates  how each program is set up
side        every candidate in turn, round after round
parts       a verdict, fail-over, a million names
report      from the raw JSON to RESULTS.md; plot makes its figures
"""
