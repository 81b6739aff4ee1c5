"""The problems the demo models learn: numbers, wordings, worked steps, answers, and the checker.

A problem is one user message with its one right answer. Problems are split by a hash of their
numbers: one in twelve is kept out of training in every wording and measured instead.
Knows nothing of chat formats, tokens or models.
"""

import re
import zlib
from fractions import Fraction
from typing import NamedTuple, Optional

import steps
from wording import pick, spin, typed

KINDS = ("addition", "subtraction", "multiplication", "division", "percentage", "equation",
         "expression", "word problem", "follow-up")


class Problem(NamedTuple):
    kind: str
    text: str                  # what the user types
    steps: list                # lines of reasoning
    answer: str                # a sentence; its last number is the result
    value: Optional[Fraction]  # the result; None where there is none
    key: tuple = ()            # the numbers and the operation, without the wording


def held_out(problem):
    """Whether the problem belongs to the measurement and never to training."""
    return bool(problem.key) and zlib.crc32(repr(problem.key).encode()) % 12 == 0


def shown(value):
    """A result as the models write it: a whole number or a decimal."""
    if value.denominator == 1:
        return str(value.numerator)
    return str(float(value))


def boxed(text):
    """What stands in the last complete \\boxed{} of an answer, or None."""
    found = re.findall(r"\\boxed\{([^{}]*)\}", text)
    return found[-1] if found else None


def is_right(text, value):
    """Whether an answer states the value: in its box, or else as its last number."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", boxed(text) or text)
    return bool(numbers) and Fraction(numbers[-1]) == value


# Numbers

SMALL = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(n):
    """A number below 1000 in English."""
    if n >= 100:
        rest = f" {in_words(n % 100)}" if n % 100 else ""
        return f"{SMALL[n // 100]} hundred{rest}"
    if n < 20:
        return SMALL[n]
    return TENS[n // 10 - 2] + (f"-{SMALL[n % 10]}" if n % 10 else "")


def number(rng, most):
    """A whole number of 1 to `most` digits, all lengths alike; round ones are common."""
    length = rng.randint(1, most)
    n = rng.randrange(10 ** (length - 1) if length > 1 else 0, 10 ** length)
    if length > 1 and rng.random() < 0.15:
        n -= n % 10 ** rng.randint(1, length - 1)
    return n


def written(rng, n):
    """The number as the user writes it."""
    luck = rng.random()
    if luck < 0.04 and 0 <= n < 1000:
        return in_words(n)
    if luck < 0.08 and n >= 1000:
        return f"{n:,}"
    return str(n)


# Questions around an expression {e}

QUESTIONS = (
    "{e}", "{e}", "{e}", "{e}", "{e}[ =|=| = ?|=?| =?|?| ?|.]", "{e}[ =|=| = ?|=?| =?|?]",
    "[What is|What's|Whats|What is the value of] {e}?", "[What is|What's] {e}?",
    "[Compute|Calculate|Evaluate|Work out|Find|Solve|Determine][:|] {e}[.| please|, please.|]",
    "[Please|Please,|Pls] [compute|calculate|work out|find|tell me|solve] {e}[.|]",
    "[Can|Could] you [please |][compute|calculate|work out|tell me|do|solve] {e}"
    "[?| please?|, please?]",
    "How much is {e}?", "[Tell me|Give me|I need|I want to know|Show me] {e}[.|, please.| please|]",
    "[Hi|Hello|Hey|Ok|Okay|So|Now|And|Next|Well|Then|Right][,|!|] "
    "[what is|what's|how much is|compute] {e}?",
    "What [do I get for|does one get for|is the answer to|is the result of|about] {e}?",
    "What does {e} [make|give|equal|come to]?", "{e} [equals|is|makes|gives][ what|]?",
    "[Quick question|Question|Homework|Exercise|Q|Task|My question][:| -] "
    "[what is|how much is|] {e}[?|]",
    "[Do you know|I wonder|I'm stuck on|Help me with|Let's try|Try|My homework is|I have to find] "
    "{e}[?|.]",
    "What is {e}? "
    "[Thanks!|Thank you.|Explain.|Show your work.|Please show the steps.|I need it fast.]",
)
ORDERS = (
    "{e}[.|]", "{e}[.|]", "Please {e}[.|]", "[Can|Could|Would] you [please |]{e}?",
    "{e}[, please.| please]", "[Now|Ok,|Next,|Then|Hey,|Hi,|Hello,] {e}[.|]",
    "I [want|need] you to {e}.", "[What if I|What do I get when I] {e}?",
)
SIGNS = {
    "+": (
        "{a} + {b}", "{a} + {b}", "{a}[+| +|+ ]{b}", "{a} [plus|and|added to] {b}",
        "[the sum of|the total of] {a} and {b}", "{a} and {b} [together|in total|added up]"),
    "-": (
        "{a} - {b}", "{a} - {b}", "{a}[-|−|–| - | − | – ]{b}", "{a} [minus|take away|less] {b}",
        "[the difference of|the difference between] {a} and {b}"),
    "×": (
        "{a} [×|*|x] {b}", "{a}[ × | * | x | · |*|×|·|x| X ]{b}", "{a} [times|multiplied by] {b}",
        "the product of {a} and {b}"),
    "÷": (
        "{a} [÷|/] {b}", "{a}[ ÷ | / |/|÷| : |:]{b}", "{a} [divided by|over] {b}",
        "the quotient of {a} and {b}"),
}
COMMANDS = {
    "+": ("add {a} and {b}", "add {b} to {a}", "sum {a} and {b}", "add up {a} and {b}"),
    "-": (
        "subtract {b} from {a}", "take {b} from {a}", "take {b} away from {a}",
        "deduct {b} from {a}"),
    "×": ("multiply {a} [by|with|and] {b}", "multiply {a} by {b}"),
    "÷": ("divide {a} by {b}", "divide {a} by {b}"),
}


def result(op, a, b):
    return {"+": a + b, "-": a - b, "×": a * b, "÷": Fraction(a, b or 1)}[op]


def fits(op, a, b):
    """Whether the operation is small enough for these models."""
    small, large = sorted((abs(a), abs(b)))
    if op == "×":
        return small < 100 and large < 10000
    if op == "÷":
        while a and b and a % 10 == 0 and b % 10 == 0:
            a, b = a // 10, b // 10
        return abs(b) < 100 and large < 100000
    return large < 100000


def capital(text):
    return text[:1].upper() + text[1:]


def asked(rng, op, a, b):
    """One of many ways to ask for a op b."""
    left, right = written(rng, a), written(rng, b)
    if b < 0 and rng.random() < 0.6:
        right = f"({right})"
    command = rng.random() < 0.15
    patterns = COMMANDS[op] if command else SIGNS[op]
    if not command and min(a, b) < 0:
        patterns = patterns[:4 if op in "+-" else 3]
    expression = spin(rng, pick(rng, patterns)).format(a=left, b=right)
    if "difference" in expression and a < b:
        expression = f"{left} - {right}"
    text = spin(rng, pick(rng, ORDERS if command else QUESTIONS)).format(e=expression)
    return typed(rng, capital(text) if rng.random() < 0.8 else text)


def calculation(kind, text, op, a, b, lead=()):
    """The problem whose answer is a op b, steps and all."""
    key = (op, *(sorted((a, b)) if op in "+×" else (a, b)))
    lines, said = list(lead), f"{a} {op} {steps.bracketed(b)}"
    if op == "÷" and b == 0:
        why = f"{a} ÷ 0: nothing times 0 is {a}" if a else "0 ÷ 0: any number times 0 is 0"
        return Problem(kind, text, lines + [why], "Dividing by 0 has no answer.", None)
    if not fits(op, a, b):
        return Problem(kind, text, lines + ["These numbers are too large for me."], TOO_LARGE, None)
    if op == "÷" and a % b:
        lines += steps.divide_whole(abs(a), abs(b))
        rest = f": it is {a // b}, remainder {a % b}" if a > 0 and b > 0 else ""
        return Problem(kind, text, lines, f"{said} does not come out even{rest}.", None)
    value = result(op, a, b)
    lines += steps.WORK[op](a, b)
    return Problem(kind, text, lines, f"{said} = {value}.", Fraction(value), key)


TOO_LARGE = ("I am a small demo model: these numbers are too large for me; "
             "`duet pull MODEL` gets a real one.")
WHOLE_ONLY = ("I am a small demo model: I only calculate with whole numbers; "
              "`duet pull MODEL` gets a real one.")
TOO_LONG = ("I am a small demo model: this takes more steps than I can do; "
            "`duet pull MODEL` gets a real one.")


# Direct calculations

def addition(rng):
    most = 5 if rng.random() < 0.05 else 4
    a, b = number(rng, most), number(rng, most)
    if rng.random() < 0.04:
        a = -a
    return calculation("addition", asked(rng, "+", a, b), "+", a, b)


def subtraction(rng):
    most = 5 if rng.random() < 0.05 else 4
    a, b = number(rng, most), number(rng, most)
    luck = rng.random()
    if luck < 0.15:
        a = b + rng.randint(-30, 30)
    elif luck < 0.2:
        a = -a
    elif luck < 0.23:
        b = -b
    elif a < b and luck < 0.7:
        a, b = b, a
    return calculation("subtraction", asked(rng, "-", a, b), "-", a, b)


MULTIPLES = (
    (2, "[double|twice] {a}"), (2, "[double|twice|two times] {a}"), (3, "[triple|three times] {a}"),
)
PARTS = (
    (2, "half of {a}"), (2, "[half|the half] of {a}"), (3, "a third of {a}"),
    (4, "a quarter of {a}"), (10, "a tenth of {a}"),
)


def multiplication(rng):
    luck = rng.random()
    if luck < 0.03:
        (b, pattern), a = pick(rng, MULTIPLES), number(rng, 3)
        return named("multiplication", rng, pattern, "×", a, b)
    if luck < 0.05:
        a = number(rng, 2)
        return named("multiplication", rng, "[{a} squared|the square of {a}]", "×", a, a)
    if luck < 0.7:
        a, b = rng.randrange(100, 1000), rng.randrange(11, 100)
    else:
        a, b = number(rng, 4 if luck < 0.72 else 3), number(rng, 2)
    if rng.random() < 0.3:
        a, b = b, a
    if rng.random() < 0.03:
        a = -a
    return calculation("multiplication", asked(rng, "×", a, b), "×", a, b)


def division(rng):
    luck = rng.random()
    if luck < 0.05:
        (b, pattern), q = pick(rng, PARTS), number(rng, 3)
        return named("division", rng, pattern, "÷", b * q, b)
    b = rng.randint(1, 12) if luck < 0.35 else rng.randint(11, 99)
    q = number(rng, 3) or 1
    if q < 100 and luck < 0.6:
        q = rng.randint(100, 999)
    a = b * q
    if luck > 0.96 and a < 10000:
        a, b = 10 * a, 10 * b
    elif luck > 0.94:
        a = -a
    return calculation("division", asked(rng, "÷", a, b), "÷", a, b)


def named(kind, rng, pattern, op, a, b):
    """A calculation asked for by a name, such as "half of"."""
    said = spin(rng, pattern).format(a=written(rng, a))
    text = spin(rng, pick(rng, QUESTIONS)).format(e=said)
    return calculation(kind, typed(rng, capital(text)), op, a, b)


def uneven(rng):
    a, b = number(rng, 4), rng.randint(2, 12) if rng.random() < 0.6 else rng.randint(13, 99)
    return calculation("uneven division", asked(rng, "÷", a, b), "÷", a, b)


def by_zero(rng):
    a = number(rng, 4)
    return calculation("division by zero", asked(rng, "÷", a, 0), "÷", a, 0)


def long_number(rng, least, most):
    length = rng.randint(least, most)
    n = rng.randrange(10 ** (length - 1), 10 ** length)
    return n - n % 10 ** rng.randint(1, length - 1) if rng.random() < 0.3 else n


def too_large(rng):
    op = pick(rng, "+-×÷")
    a, b = long_number(rng, 6, 12), number(rng, 9)
    if op in "×÷" and rng.random() < 0.6:
        a, b = long_number(rng, 3, 6), long_number(rng, 3, 6)
    elif op == "-" or rng.random() < 0.4:
        a, b = (a, b) if rng.random() < 0.5 else (b, a)
    if b == 0 or fits(op, a, b):
        return too_large(rng)
    return calculation("too large", asked(rng, op, a, b), op, a, b)


# Percentages

PERCENTS = (
    "{p}% of {n}", "{p}% of {n}", "{p} % of {n}", "{p} percent of {n}", "{p} per cent of {n}",
    "{p} pct of {n}",
)


def percent_of(kind, text, p, n, lead=()):
    value = Fraction(p * n, 100)
    lines = [*lead, *steps.percent(p, n)]
    return Problem(kind, text, lines, f"{p}% of {n} is {shown(value)}.", value, ("%", p, n))


def percentage(rng):
    common = rng.random() < 0.35
    p = pick(rng, (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80)) if common else rng.randint(1, 99)
    if rng.random() < 0.02:
        p = 100
    n = number(rng, 4 if rng.random() < 0.3 else 3) or 100
    if n > 999:
        n -= n % 10
    if p * n % 100 and rng.random() < 0.35:
        n = max(20, n - n % pick(rng, (10, 20, 50, 100)))
    if p * n % 100 == 0 and rng.random() < 0.08:
        return discount(rng, p, n)
    expression = spin(rng, pick(rng, PERCENTS)).format(p=written(rng, p), n=written(rng, n))
    text = spin(rng, pick(rng, QUESTIONS)).format(e=expression)
    return percent_of("percentage", typed(rng, capital(text)), p, n)


def discount(rng, p, n):
    """p percent off, or on top of, n."""
    off = rng.random() < 0.7
    pattern = "{p}% [off|off of|less than] {n}" if off else "{p}% [more than|on top of] {n}"
    text = spin(rng, pick(rng, QUESTIONS)).format(e=spin(rng, pattern).format(p=p, n=n))
    part, op = p * n // 100, "-" if off else "+"
    value = n - part if off else n + part
    lines = steps.percent(p, n) + steps.WORK[op](n, part)
    answer = f"{p}% {'less' if off else 'more'} than {n} is {value}."
    text = typed(rng, capital(text))
    return Problem("percentage", text, lines, answer, Fraction(value), ("%" + op, p, n))


# Equations

EQUATIONS = (
    "{q}", "{q}", "Solve {q}[.| for {x}.|, please.|]", "Solve for {x}: {q}",
    "[Find|Determine] {x}[: | if | when | in ]{q}", "What is {x} if {q}?",
    "[If|When|Given] {q}, what is {x}?",
    "{q}[, what is {x}?|. What is {x}?|, {x} = ?|, solve for {x}]",
    "[Can|Could] you solve {q}[ for {x}|]?",
    "[Please solve|I need to solve|Help me solve|How do I solve] {q}[.|]",
    "[Equation|Homework|Hello! Solve|Hi, solve|Now solve|And]: {q}", "For which {x} is {q}?",
)


def equation(rng, even=True):
    """a·x + b = c; with `even` false its x is not whole."""
    name = pick(rng, "xxxxxyznamtk")
    a = rng.randint(1, 12) if rng.random() < 0.8 else rng.randint(13, 40)
    if rng.random() < 0.1:
        a = -a if rng.random() < 0.8 else -1
    if not even and abs(a) == 1:
        a = 3
    x = rng.randint(-20, 60) if rng.random() < 0.6 else rng.randint(-99, 400)
    b = rng.randint(-60, 60) if rng.random() < 0.4 else rng.randint(-999, 999)
    if a == 1 and b == 0:
        b = 1
    c = a * x + b + (0 if even else rng.randint(1, abs(a) - 1))
    between = pick(rng, ("", "", "", "*", " "))
    factor = {1: "", -1: "-"}.get(a, f"{a}{between}") + name
    gap = pick(rng, (" ", " ", ""))
    minus = pick(rng, ("-", "-", "-", "−"))
    constant = f"{gap}{'+' if b > 0 else minus}{gap}{abs(b)}" if b else ""
    left = factor + constant
    if b > 0 and rng.random() < 0.15:
        left = f"{b}{gap}{'+' if a > 0 else ''}{factor}" if a > 0 else f"{b}{gap}-{gap}{factor[1:]}"
        left = left.replace(f"{gap}+", f"{gap}+{gap}") if a > 0 else left
    whole = f"{left}{gap}={gap}{c}" if rng.random() < 0.92 else f"{c}{gap}={gap}{left}"
    text = spin(rng, pick(rng, EQUATIONS)).format(q=whole, x=name)
    if rng.random() < 0.15:
        text = text.rstrip(".?")
    if not even:
        return Problem("uneven equation", text, steps.solve(name, a, b, c),
                       f"{name} = {c - b} ÷ {steps.bracketed(a)} does not come out even.", None)
    lines = steps.solve(name, a, b, c)
    return Problem("equation", text, lines, f"{name} = {x}.", Fraction(x), ("=", a, b, c))


def uneven_equation(rng):
    return equation(rng, even=False)


# Expressions of two operations

def small_terms(rng):
    """Numbers and operators in turn, of a kind that comes out whole if one draws often enough."""
    length = 3 if rng.random() < 0.75 else 4
    signs = [pick(rng, "++--××÷" if rng.random() < 0.7 else "+-") for _ in range(length - 1)]
    numbers = [number(rng, 2 if "×" in signs and rng.random() < 0.7 else 3) for _ in range(length)]
    whole = 1  # the product of the divisors of a quotient
    for i in reversed(range(length - 1)):
        if signs[i] == "÷":
            numbers[i + 1] = rng.randint(2, 12)
            whole *= numbers[i + 1]
            if i == 0 or signs[i - 1] != "÷":
                numbers[i] = whole * rng.randint(1, 60)
                whole = 1
    terms = [numbers[0]]
    for sign, n in zip(signs, numbers[1:]):
        terms += [sign, n]
    if rng.random() < 0.25:
        at = 2 * rng.randrange(length - 1)
        terms = terms[:at] + ["("] + terms[at:at + 3] + [")"] + terms[at + 3:]
    return terms


def whole_value(terms):
    """What the expression comes to, or None where a step is not whole or too large."""
    while len(terms) > 1:
        at = steps.next_operation(terms)
        a, op, b = terms[at - 1:at + 2]
        if op == "÷" and (b == 0 or a % b) or not fits(op, a, b):
            return None
        inside = at > 1 and terms[at - 2] == "("
        terms = terms[:at - 1 - inside] + [int(result(op, a, b))] + terms[at + 2 + inside:]
    return terms[0]


def expression(rng):
    terms = small_terms(rng)
    value = whole_value(terms)
    if value is None:
        return expression(rng)
    plain = said = steps.written(terms)
    only_sums = set(terms[1::2]) == {"+"}
    gap = pick(rng, (" ", " ", ""))
    luck = rng.random()
    if only_sums and luck < 0.4:
        *first, last = map(str, terms[::2])
        name = spin(rng, "[the sum of|the total of|the sum of|the numbers]")
        said = f"{name} {', '.join(first)} and {last}"
    elif luck < 0.2:
        for sign, word in (("+", "plus"), ("-", "minus"), ("×", "times"), ("÷", "divided by")):
            said = said.replace(f" {sign} ", f" {word} ")
    else:
        said = said.replace("×", pick(rng, "××**x·")).replace("÷", pick(rng, "÷÷//:"))
        said = said.replace(" ", gap)
    text = typed(rng, capital(spin(rng, pick(rng, QUESTIONS)).format(e=said)))
    lines = steps.evaluate(terms)
    return Problem("expression", text, lines, f"{plain} = {value}.", Fraction(value), tuple(terms))
