"""A quiz file with one question, for tests."""

GOOD = """
[[questions]]
id = "halves"
question = "What does `stride=2` make of 64 & <b>more</b>?"
[[questions.choices]]
text = "32"
why = "Only with `padding=1`."
[[questions.choices]]
text = "`31`"
correct = true
why = "The floor of (64 - 3) / 2, plus 1."
"""
