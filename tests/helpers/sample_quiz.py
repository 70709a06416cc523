"""Quiz files with one question each, for tests."""

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

PICTURES = """
[[questions]]
id = "pictures"
question = "Which of them has whiskers?"
[[questions.choices]]
picture = "chelsea"
alt = "a cat's \\"face\\""
correct = true
why = "A cat."
[[questions.choices]]
text = "this one"
grid = [[1, -0.5], [0, -2]]
why = "A kernel."
"""
