"""Word problems of one and two steps, as patterns.

A story is a line "text # steps # reasons # answer". Steps are written with the letters of the
numbers in the text, "_" for the result of the first step and "p" for a percentage; one reason
goes before each step. {N} and {M} are people, {t} and {u} things, {he} goes with {N}.
"""

from fractions import Fraction

import steps
from problems import Problem, fits, number, result, written
from wording import made_up, pick, spin, typed

STORIES = """
{N} has {a} {t} and [buys|gets|finds] {b} more. How many {t} does {N} have[ now| in total| altogether|]? # a + b # Together # {N} has {n} {t}.
{N} has {a} {t}. {M} has {b} {t}. How many {t} do they have [together|in total|altogether|in all]? # a + b # Together # They have {n} {t}.
There are {a} {t} [on the table|in the box|in the room] and {b} [on the floor|in the bag|outside]. How many {t} are there [in all|in total|altogether]? # a + b # Together # There are {n} {t}.
{N} has {a} {t} and [gives away|loses|sells|eats] {b}. How many {t} are left? # a - b # What is left # {n} {t} are left.
{N} had {a} {t}. {N} gave {b} [of them |]to {M}. How many {t} does {N} have [left|now]? # a - b # What is left # {N} has {n} {t}.
{N} has {a} {t} and {M} has {b}. How many more {t} does {N} have[ than {M}|]? # a - b # The difference # {N} has {n} more.
{N} needs {a} {t} and [already |]has {b}. How many more {t} does {N} need? # a - b # What is missing # {N} needs {n} more.
There are {a} boxes with {b} {t} [each|in each box|in each]. How many {t} are there[ in total| altogether|]? # a × b # In all boxes # There are {n} {t}.
One [ticket|book|shirt|pizza] costs {b} [dollars|euros]. [How much do|What do] {a} cost? # a × b # The price # They cost {n}.
{N} reads {a} pages [a|each|every] day. How many pages does {N} read in {b} days? # a × b # All days # {N} reads {n} pages.
{a} {t} are shared [equally |]among {b} [children|friends|students|people]. How many does each[ child| one|] get? # a ÷ b # For each # Each gets {n}.
{N} packs {a} {t} into boxes of {b}. How many boxes [does {N} need|are needed|are there]? # a ÷ b # The boxes # There are {n} boxes.
A [train|car|bus] drives {a} km in {b} hours. How [far does it go|many km does it drive] in one hour? # a ÷ b # In one hour # It drives {n} km.
{N} has {a} {t} and [buys|gets|finds] {b} more. Then {he} [gives away|loses|sells|eats] {c}. How many {t} does {N} have [left|now|in the end]? # a + b; _ - c # With the new ones; What is left # {N} has {n} {t}.
{N} has {a} {t}. {M} gives {N} {b} more, and then {N} [loses|sells|eats|gives away] {c}. How many {t} are left? # a + b; _ - c # With the new ones; What is left # {n} {t} are left.
A shop has {a} {t}. It gets {b} more and sells {c}. How many {t} [are left|does it have now|are in the shop now]? # a + b; _ - c # With the new ones; What is left # The shop has {n} {t}.
{a} people are on a [bus|train|ship]. {b} get on and {c} get off. How many people are on the [bus|train|ship] now? # a + b; _ - c # After some get on; After some get off # There are {n} people.
{a} people are on a [bus|train]. {b} get off and {c} get on. How many people are on it now? # a - b; _ + c # After some get off; After some get on # There are {n} people.
{N} had {a} {t}, [lost|sold|ate|gave away] {b} and then [bought|got|found] {c}. How many {t} does {N} have now? # a - b; _ + c # What was left; With the new ones # {N} has {n} {t}.
{N} has {a} [dollars|euros]. {he} spends {b} on [food|a book|clothes] and {c} on [a ticket|a game|drinks]. How much [money |]is left? # a - b; _ - c # After the first; What is left # {n} is left.
A [book|story] has {a} pages. {N} reads {b} pages on Monday and {c} on Tuesday. How many pages are left? # b + c; a - _ # Pages read; What is left # {n} pages are left.
{N} has {a} {t}, {b} {u} and {c} more [in a bag|at home|in a box]. How many things is that[ altogether| in total|]? # a + b; _ + c # The first two; All together # That is {n} things.
There are {a} {t} in the first box, {b} in the second and {c} in the third. How many {t} are there [in all|in total|altogether]? # a + b; _ + c # The first two; All three # There are {n} {t}.
{N} [buys|has|packs] {a} boxes with {b} {t} [each|in each]. {he} already has {c} {t}. How many {t} does {N} have[ now| in total| altogether|]? # a × b; _ + c # In the boxes; With the others # {N} has {n} {t}.
{N} [buys|has|gets] {a} [boxes|bags|packs] of {b} {t} and [gives away|uses|loses|eats] {c}. How many {t} are left? # a × b; _ - c # In all of them; What is left # {n} {t} are left.
{N} [buys|has|gets] {a} [boxes|bags|packs] of {b} {t} and {c} single {t}. How many {t} is that[ in all| in total|]? # a × b; _ + c # In all of them; With the single ones # That is {n} {t}.
A ticket costs {b} [dollars|euros]. {N} buys {a} tickets and a drink for {c}. How much does {N} pay? # a × b; _ + c # The tickets; With the drink # {N} pays {n}.
{N} buys {a} {t} for {b} [dollars|euros] each and pays with {c}. How much change does {N} get? # a × b; c - _ # The price; The change # {N} gets {n} back.
{N} earns {b} [dollars|euros] an hour and works {a} hours. {he} spends {c}. How much is left? # a × b; _ - c # What {N} earns; What is left # {n} is left.
A farmer has {a} rows of {b} trees. {c} trees are cut down. How many trees are left? # a × b; _ - c # All trees; What is left # {n} trees are left.
A [hall|theatre|cinema] has {a} rows of {b} seats. {c} seats are [taken|empty]. How many are not? # a × b; _ - c # All seats; The others # {n} seats.
{N} has {a} {t} and {M} has {b}. They put them together and share them equally among {c} [friends|children]. How many does each get? # a + b; _ ÷ c # Together; For each # Each gets {n}.
{N} has {a} {t}, [eats|loses|keeps] {b} and shares the rest equally among {c} [friends|children]. How many does each get? # a - b; _ ÷ c # The rest; For each # Each gets {n}.
{a} boxes hold {b} {t} each. The {t} are shared among {c} [classes|children|shops] equally. How many does each get? # a × b; _ ÷ c # All {t}; For each # Each gets {n}.
Each of {c} [classes|teams|groups] has {a} girls and {b} boys. How many children are there[ in all| in total|]? # a + b; _ × c # In one; In all of them # There are {n} children.
A meal costs {a} [dollars|euros] and a drink {b}. How much do {c} people pay for a meal and a drink each? # a + b; _ × c # For one; For all # They pay {n}.
{N} runs {a} km in the morning and {b} km in the evening[, every day|]. How [far|many km] is that in {c} days? # a + b; _ × c # In one day; In all days # That is {n} km.
{N} has {a} {t} and {M} has {b} times as many. How many {t} do they have [together|in total]? # a × b; _ + a # What {M} has; Together # They have {n} {t}.
{N} has {a} {t}. {M} has {b} more than {N}. How many {t} do they have [together|in total|altogether]? # a + b; _ + a # What {M} has; Together # They have {n} {t}.
{N} has {a} {t}. {M} has {b} fewer than {N}. How many {t} do they have [together|in total|altogether]? # a - b; _ + a # What {M} has; Together # They have {n} {t}.
{N} is {a} years old. {M} is {b} years older. How old will {M} be in {c} years? # a + b; _ + c # {M} now; Later # {M} will be {n}.
A [shirt|book|bike|lamp|jacket] costs {a} [dollars|euros] and is {p}% off. [How much is it now|What is the new price|What do you pay]? # p% of a; a - _ # The discount; The new price # It costs {n}.
The price of a [phone|ticket|table|bike] is {a} [dollars|euros] and goes up by {p}%. What is the new price? # p% of a; a + _ # The increase; The new price # It costs {n}.
{p}% of the {a} [students|children|people] in a school [walk|sing|play chess]. How many do not? # p% of a; a - _ # Those who do; Those who do not # {n} do not.
{N} saves {b} [dollars|euros] a week for {a} weeks and [already |]has {c}. How much does {N} have then? # a × b; _ + c # In these weeks; With the rest # {N} has {n}.
{N} is {a} years old. [His|Her] [brother|sister|cousin] is {b} years [older|older than {N}]. How old is [he|she|the brother|the sister]? # a + b # Older # The answer is {n}.
{N} is {a}[ years old|]. [His|Her|{N}'s] [brother|sister|friend|dog] is {b} years younger. How old is [he|she|it]? # a - b # Younger # The answer is {n}.
{N} has {a} {t}. {M} has {b} more. How many [{t} |]does {M} have? # a + b # What {M} has # {M} has {n} {t}.
{N} has {a} {t}. {M} has {b} [fewer|less]. How many [{t} |]does {M} have? # a - b # What {M} has # {M} has {n} {t}.
{N} has {a} {t}. {M} has {b} times as many. How many [{t} |]does {M} have? # a × b # What {M} has # {M} has {n} {t}.
{N} has {a} {t}. {M} has [twice|two times] as many. How many {t} do they have [together|in total]? # a × 2; _ + a # What {M} has; Together # They have {n} {t}.
{N} has {a} {t}. {M} has half as many. How many {t} do they have [together|in total|altogether]? # a ÷ 2; _ + a # What {M} has; Together # They have {n} {t}.
{N} sold {a} {t} in [April|May|the morning] and half as many in [June|July|the evening]. How many did {N} sell [altogether|in total|in all]? # a ÷ 2; _ + a # Half of them; Together # {N} sold {n} {t}.
{N} has {a} {t}, gives half of them away and then [buys|gets|finds] {c} more. How many {t} does {N} have[ now|]? # a ÷ 2; _ + c # Half of them; With the new ones # {N} has {n} {t}.
I have {a} {t} and {b} {u}. How many [things|of them] do I have[ in total| altogether|]? # a + b # Together # You have {n}.
I have {a} {t}. I [give away|lose|eat|sell] {b}[ of them|]. How many [do I have left|are left|{t} do I have]? # a - b # What is left # {n} {t} are left.
I have {a} [dollars|euros] and [spend|pay] {b}. How much [do I have|is] left? # a - b # What is left # {n} is left.
I buy {a} {t} for {b} [dollars|euros] each. How much [do I pay|is that|does it cost]? # a × b # The price # It costs {n}.
I [buy|have] {a} {t} and {b} {u} and give {c} [of them |]to {N}. How many things do I have? # a + b; _ - c # Together; What is left # You have {n}.
There are {a} [students|children|people|animals] in a [class|school|room|park]. {b} are [girls|boys|young|tall]. How many are [boys|girls|not|old]? # a - b # The others # There are {n}.
{b} of the {a} {t} are [red|green|new|big]. How many are not? # a - b # The others # {n} {t} are not.
A [baker|cook|shop|farmer] [makes|has|bakes] {a} {t} and sells {b}[ of them|]. How many [{t} |]are left? # a - b # What is left # {n} {t} are left.
A [baker|cook|farmer] [makes|has|picks] {a} {t}, sells {b} and [makes|gets|picks] {c} more. How many {t} are there[ now|]? # a - b; _ + c # What was left; With the new ones # There are {n} {t}.
[If a|A] [train|car|bus|plane] [travels|drives|goes] {a} km [per|an|each] hour[ for|,] {b} hours[, how|. How] far does it go? # a × b # In all hours # It goes {n} km.
A [train|car|bus] goes {a} km [per|an|each] hour for {b} hours and then {c} km more. How far does it go? # a × b; _ + c # In these hours; With the rest # It goes {n} km.
How many [legs|wheels|eyes] do {a} [dogs|cars|spiders] have if each has {b}? # a × b # All of them # They have {n}.
{N} has {a} {t} and buys {b} more. {he} gives {c} [of them |]to {M}. How many [{t} |]does {he} have [left|now]? # a + b; _ - c # With the new ones; What is left # {N} has {n} {t}.
{N} has {a} {t}. {he} [buys|gets|finds] {b} more and [gives|sells] {c} to {M}. How many [{t} |]does {he} have[ left| now|]? # a + b; _ - c # With the new ones; What is left # {N} has {n} {t}.
{N} has {a} [bags|boxes|packs] with {b} {t} [each|in each]. {he} [loses|eats|uses|sells] {c}. How many {t} are left? # a × b; _ - c # In all of them; What is left # {n} {t} are left.
{N} has {a} [bags|boxes|packs] of {b} {t}. {he} [finds|buys|gets] {c} more [{t}|]. How many {t} does {he} have[ now| in total|]? # a × b; _ + c # In all of them; With the new ones # {N} has {n} {t}.
{N} [saves|earns] {a} [dollars|euros] [each|every|per] week. How much [has {he} after|does {he} save in] {b} weeks? # a × b # All weeks # {N} has {n}.
{N} wants to buy a [bike|phone|lamp] for {a} [dollars|euros]. {he} has {b} and saves {c} more. How much is missing? # b + c; a - _ # What {N} has; What is missing # {n} is missing.
{N} cuts a rope of {c} cm into {a} pieces of {b} cm. How many cm are left over? # a × b; c - _ # Used; What is left # {n} cm are left.
"""

BOYS = "Tom Ben Sam Max Leo Paul Omar Ivan Jack Noah Ravi Hugo Luis Adam Finn John Bob".split()
GIRLS = "Mia Anna Emma Lena Sara Zoe Nina Ida Lucy Maya Rosa Eva Kim Aisha Olga Jane Alice".split()
THINGS = ("apples oranges pears eggs cookies pencils books stamps marbles coins cards balls stickers toys "
          "flowers stones shells cakes candies buttons photos nuts plums lemons pens cups keys chairs "
          "muffins clips sweets stars bottles plates cars dogs cats rings bananas carrots potatoes tomatoes "
          "cherries shirts hats bags boxes chocolates pies rocks leaves fish birds beads dolls blocks candles").split()


def parse(line):
    text, plan, reasons, answer = (part.strip() for part in line.split("#"))
    plan = [step.replace("% of", " %").split() for step in plan.split("; ")]
    return text, plan, reasons.split("; "), answer


PARSED = [parse(line) for line in STORIES.strip().splitlines()]


def first_numbers(rng, op, given):
    """Two numbers for the first step; the second may be given in words, as in "half"."""
    if given:
        n = number(rng, 3) + 1
        return (n * given if op == "÷" else n), given
    if op == "%":
        p = pick(rng, (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90))
        return p, pick(rng, (20, 20, 100, 100, 10, 40)) * rng.randint(1, 25)
    if op in "×÷":
        a = rng.randint(2, 60) if rng.random() < 0.6 else rng.randint(61, 500)
        b = rng.randint(2, 12) if rng.random() < 0.6 else rng.randint(13, 60)
        return (a, b) if op == "×" else (a * min(b, 12), min(b, 12))
    a, b = number(rng, 4 if rng.random() < 0.1 else 3), number(rng, 3)
    return (a + 2, b + 2) if op == "+" else (a + b + 4, b + 2)


def person(rng, names):
    """A name, now and then one that nobody has."""
    return pick(rng, names) if rng.random() < 0.92 else made_up(rng).capitalize()


def things(rng):
    return pick(rng, THINGS) if rng.random() < 0.92 else made_up(rng) + "s"


def second_number(rng, left, op, middle):
    """A number for c that keeps the second step whole and positive."""
    if op == "+":
        return number(rng, 3) + 2
    if op == "-":
        return middle + number(rng, pick(rng, (1, 2, 3))) if left == "c" else rng.randint(1, max(1, middle - 1))
    if op == "×":
        return rng.randint(2, 12) if rng.random() < 0.8 else rng.randint(13, 30)
    divisors = [d for d in range(2, 13) if middle % d == 0]
    return pick(rng, divisors) if divisors else None


def numbers(rng, plan):
    """Values for the letters of a plan, or None where the draw does not work out."""
    left, op, right = plan[0]
    x, y = first_numbers(rng, op, int(right) if right.isdigit() else 0)
    values = {left: x, right: y}
    middle = x * y // 100 if op == "%" else result(op, x, y)
    if op == "%" and x * y % 100 or middle.denominator != 1:
        return None
    values["_"] = int(middle)
    if len(plan) > 1:
        left, op, right = plan[1]
        if "c" in (left, right):
            values["c"] = second_number(rng, left, op, int(middle))
        elif "a" in (left, right) and "a" not in values:
            values["a"] = int(middle) + number(rng, 3) + 1
    return None if None in values.values() else values


def word_problem(rng):
    text, plan, reasons, answer = pick(rng, PARSED)
    values = numbers(rng, plan)
    if not values:
        return word_problem(rng)
    boy = rng.random() < 0.5
    names = {"N": person(rng, BOYS if boy else GIRLS), "M": person(rng, GIRLS if boy else BOYS),
             "he": "he" if boy else "she", "t": things(rng), "u": things(rng)}
    lines, value = [], None
    for (left, op, right), reason in zip(plan, reasons):
        x, y = values[left], values[right]
        if op != "%" and not fits(op, x, y):
            return word_problem(rng)
        lines.append(reason.format(**names) + ":")
        lines += steps.percent(x, y) if op == "%" else steps.WORK[op](x, y)
        value = Fraction(x * y, 100) if op == "%" else result(op, x, y)
    if value < 0:
        return word_problem(rng)
    said = {name: written(rng, n) for name, n in values.items() if name.isalpha()}
    told = spin(rng, text).format(**names, **said)
    told = told.replace(f". {names['he']} ", f". {names['he'].capitalize()} ")
    key = tuple(map(tuple, plan)) + tuple(sorted(values.items()))
    kind = "word problem" if len(plan) == 2 else "short word problem"
    return Problem(kind, typed(rng, told), lines, answer.format(**names, n=value), Fraction(value), key)
