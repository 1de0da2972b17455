"""The image: what is asked of the tools on the operator's machine, and how their answers are read."""
