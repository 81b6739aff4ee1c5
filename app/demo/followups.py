"""Questions about the last result of a conversation, such as "now double it"."""

from problems import (TOO_LONG, WHOLE_ONLY, Problem, calculation, capital, number, percent_of,
                      shown, written)
from wording import pick, spin, typed

FOLLOW_UPS = (
    ("×", 2, (
        "[double|twice] [it|that|the result|this]", "double [it|that] [now|please|again]",
        "times [2|two]", "twice that", "what is [double|twice] that", "what is twice as much",
        "and [doubled|twice that]")),
    ("×", 3, (
        "triple [it|that|the result|this]", "times [3|three]", "three times that",
        "what is three times that", "multiply that by three")),
    ("÷", 2, (
        "half of [it|that|this]", "halve [it|that|the result]", "what is half of [it|that]",
        "[divide|split] [it|that] [by|in] two", "take half of [it|that]", "and the half",
        "what is the half of that")),
    ("+", None, (
        "add {b}[ to that| to it| to the result| more|]", "plus {b}", "+ {b}", "+{b}", "{b} more",
        "increase [it|that] by {b}", "what is that plus {b}", "what if I add {b}")),
    ("-", None, (
        "subtract {b}[ from that| from it| from the result|]", "minus {b}", "- {b}",
        "take away {b}", "take {b} [away|off|from that]", "{b} less", "decrease [it|that] by {b}",
        "what is that minus {b}", "remove {b}[ from that|]")),
    ("×", None, (
        "multiply [it|that|the result|this] by {b}", "times {b}", "* {b}", "× {b}", "*{b}",
        "what is that times {b}", "{b} times that")),
    ("÷", None, (
        "divide [it|that|the result|this] by {b}", "divided by {b}", "/ {b}", "÷ {b}", "/{b}",
        "what is that divided by {b}", "split [it|that] into {b} equal parts",
        "share [it|that] among {b}")),
    ("%", None, (
        "what is {b}% of [that|it|the result|this]", "{b}% of [that|it|this]",
        "{b} percent of [that|it]", "take {b}% of [it|that]", "find {b}% of [that|it|the result]")),
    ("from", None, (
        "subtract [it|that|the result] from {b}", "take [it|that] away from {b}",
        "{b} minus [that|it|the result]", "what is {b} minus [that|it]", "[it|that] from {b}")),
    ("²", None, (
        "square [it|that|the result|this]", "what is [its square|that squared]",
        "multiply [it|that] by itself", "[it|that] squared")),
)
OPENERS = (
    "{f}", "{f}", "{f}", "now {f}", "and {f}", "then {f}", "ok, {f}", "now {f}, please",
    "please {f}", "great, now {f}", "thanks, now {f}", "good, {f}", "next, {f}", "ok now {f}",
    "and now {f}", "[can|could] you {f}", "so {f}", "{f} please", "cool. {f}", "thank you! now {f}",
    "hmm, {f}", "and then {f}", "nice! and {f}",
)


def operand(rng, op, last):
    """A second number that mostly leaves the problem solvable."""
    if op == "÷":
        divisors = [d for d in range(2, 13) if last % d == 0] or [1]
        return pick(rng, divisors) if rng.random() < 0.93 else rng.randint(2, 12)
    if op == "%":
        even = [p for p in (10, 20, 25, 50, 75, 5, 30, 40, 60, 80, 90, 1) if p * last % 100 == 0]
        return pick(rng, even) if even and rng.random() < 0.85 else rng.randint(1, 100)
    if op == "×":
        return rng.randint(2, 12) if rng.random() < 0.7 else rng.randint(13, 99)
    if op == "from":
        if rng.random() < 0.5:
            return rng.choice((10, 50, 100, 200, 500, 1000, 10000))
        return number(rng, 4)
    return number(rng, pick(rng, (1, 2, 2, 3, 4)))


def follow_up(rng, last):
    """A question about the last result; `last` is None where the conversation has none yet."""
    op, fixed, patterns = pick(rng, FOLLOW_UPS)
    whole = last is not None and last.denominator == 1
    n = int(last) if whole else 12
    b = fixed or operand(rng, op, n)
    text = spin(rng, pick(rng, patterns)).format(b=written(rng, b))
    twice = rng.random() < 0.03
    if twice:
        text += spin(rng, "[ and| and then|, then] ")
        text += spin(rng, pick(rng, pick(rng, FOLLOW_UPS)[2])).format(b=number(rng, 2))
    text = spin(rng, pick(rng, OPENERS)).format(f=text)
    text = capital(text) if rng.random() < 0.6 else text
    text = typed(rng, text + pick(rng, ("", "", ".", "?", "?", "!")))
    if twice:
        return Problem("too long", text, ["This takes more steps than I can do."], TOO_LONG, None)
    if last is None:
        return Problem("no result", text, ["There is no result before this."],
                       "There is no earlier result to use yet. Give me a sum first.", None)
    if not whole:
        thought = [f"The last result is {shown(last)}, not a whole number."]
        return Problem("no result", text, thought, WHOLE_ONLY, None)
    lead = [f"The last result is {n}."]
    if op == "%":
        if not 0 < n < 10000:
            lead.append("That is outside what I do with percentages.")
            return Problem("too large", text, lead,
                           "I only do percentages of positive numbers up to 9999.", None)
        problem = percent_of("follow-up", text, b, n, lead)
    elif op == "from":
        problem = calculation("follow-up", text, "-", b, n, lead)
    elif op == "²":
        problem = calculation("follow-up", text, "×", n, n, lead)
    else:
        problem = calculation("follow-up", text, op, n, b, lead)
    return problem._replace(key=("then", *problem.key)) if problem.key else problem
