"""The subcommands of `echoppe`, one module a subject.

Each has `configure(subjects)`, which adds its arguments and names the function that runs it. Only
argparse is imported at the top; the rest when a command runs.
"""
