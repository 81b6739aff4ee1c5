"""Written arithmetic, the way a tutor writes it on a board.

Every function takes whole numbers and returns the lines of one calculation; the last line states
its result as "expression = number". One line is one small step: a column, a carry, a partial
product. Knows nothing of wordings, models or tokens.
"""

PLACES = ("ones", "tens", "hundreds", "thousands", "ten thousands", "hundred thousands", "millions")


def columns(n):
    """The digits of n, ones first."""
    return [int(digit) for digit in reversed(str(n))]


def bracketed(n):
    """n as it stands after an operator."""
    return f"({n})" if n < 0 else str(n)


def carried(total, last):
    """What is written below a column; the last one keeps all its digits."""
    return "" if last or total < 10 else f", write {total % 10}, carry {total // 10}"


def add_columns(a, b):
    result = f"{a} + {b} = {a + b}"
    if max(a, b) < 10 or min(a, b) == 0:
        return [result]
    lines, carry = [f"{a} + {b}:"], 0
    upper, lower = columns(a), columns(b)
    height = max(len(upper), len(lower))
    for i in range(height):
        terms = upper[i:i + 1] + lower[i:i + 1] + ([carry] if carry else [])
        total = sum(terms)
        line = f"{PLACES[i]}: " + " + ".join(map(str, terms))
        if len(terms) > 1:
            line += f" = {total}" + carried(total, i == height - 1)
        lines.append(line)
        carry = total // 10
    return lines + [result]


def subtract_columns(a, b):
    """a - b for a >= b."""
    result = f"{a} - {b} = {a - b}"
    if max(a, b) < 10 or b == 0 or a == b:
        return [result]
    lines, borrow = [f"{a} - {b}:"], 0
    lower = columns(b)
    for i, top in enumerate(columns(a)):
        taken = ([1] if borrow else []) + lower[i:i + 1]
        minus = "".join(f" - {digit}" for digit in taken)
        left = top - sum(taken)
        borrow = left < 0
        line = f"{PLACES[i]}: {top}{minus}"
        if borrow:
            line += f", borrow: {top + 10}{minus} = {left + 10}"
        elif taken:
            line += f" = {left}"
        lines.append(line)
    return lines + [result]


def times_digit(a, digit):
    result = f"{a} × {digit} = {a * digit}"
    if a < 10 or digit < 2:
        return [result]
    lines, carry = [f"{a} × {digit}:"], 0
    upper = columns(a)
    for i, top in enumerate(upper):
        line, total = f"{PLACES[i]}: {top} × {digit} = {top * digit}", top * digit + carry
        if carry:
            line += f", {top * digit} + {carry} = {total}"
        lines.append(line + carried(total, i == len(upper) - 1))
        carry = total // 10
    return lines + [result]


def times_whole(a, b):
    """a × b for whole numbers >= 0; the shorter one, of at most two digits, is the multiplier."""
    if len(str(a)) < len(str(b)):
        return [f"{a} × {b} = {b} × {a}"] + times_whole(b, a) + [f"{a} × {b} = {a * b}"]
    if b < 10:
        return times_digit(a, b)
    tens, ones = b - b % 10, b % 10
    lines = times_digit(a, tens // 10) if tens > 10 else []
    lines += [f"{a} × {tens} = {a * tens}"]
    if ones:
        lines = [f"{a} × {b} = {a} × {tens} + {a} × {ones}"] + lines + times_digit(a, ones)
        lines += add_columns(a * tens, a * ones) + [f"{a} × {b} = {a * b}"]
    return lines


def multiples(a, b):
    """The multiples of b worth having at hand before dividing a by it."""
    last = min(9, -(-a // b))
    return ", ".join(f"{b} × {k} = {k * b}" for k in range(1, last + 1))


def too_many(left, b):
    """The line that rules out one more, where only the last digit tells that it is too much."""
    more = left // b + 1
    if b <= 12 or more > 9 or more * b // 10 != left // 10:
        return []
    return [f"{left} ÷ {b}: {more} × {b} = {more * b}, {more * b % 10} > {left % 10}, too much"]


def divide_whole(a, b):
    """Long division of a >= 0 by b > 0; a remainder, if any, is named in the last line."""
    if b == 1 or a == 0:
        return [f"{a} ÷ {b} = {a // b}"]
    if a % 10 == 0 and b % 10 == 0:
        shorter = divide_whole(a // 10, b // 10)
        return [f"{a} ÷ {b} = {a // 10} ÷ {b // 10}"] + shorter + [division(a, b)]
    if a < b:
        return [f"{a} is less than {b}", division(a, b)]
    lines = [f"{a} ÷ {b}:"]
    if b > 12:
        lines.append(multiples(a, b))
    digits = str(a)
    start = len(str(b)) if int(digits[:len(str(b))]) >= b else len(str(b)) + 1
    left = int(digits[:start])
    for down in list(digits[start:]) + [None]:
        q = left // b
        lines += too_many(left, b) + [f"{left} ÷ {b}: {q} × {b} = {q * b}"]
        if b > 12 and q:
            lines += subtract_columns(left, q * b)
        else:
            lines[-1] += f", {left} - {q * b} = {left - q * b}"
        left -= q * b
        if down:
            lines.append(f"bring down {down}: {left * 10 + int(down)}")
            left = left * 10 + int(down)
    return lines + [division(a, b)]


def division(a, b):
    """The statement that ends a long division."""
    return f"{a} ÷ {b} is {a // b}, remainder {a % b}" if a % b else f"{a} ÷ {b} = {a // b}"


def evaluate(terms):
    """The lines that reduce an expression: a list of numbers, operators and at most one pair of
    brackets. One operation at a time, the expression is written anew after each."""
    lines, whole = [], written(terms)
    while len(terms) > 1:
        at = next_operation(terms)
        a, op, b = terms[at - 1:at + 2]
        if len(terms) > 3:
            lines.append(f"{written(terms)}: first {a} {op} {bracketed(b)}")
        lines += WORK[op](a, b)
        value = {"+": a + b, "-": a - b, "×": a * b, "÷": a // (b or 1)}[op]
        inside = at > 1 and terms[at - 2] == "("
        terms = terms[:at - 1 - inside] + [value] + terms[at + 2 + inside:]
    return lines + [f"{whole} = {terms[0]}"]


def next_operation(terms):
    """The index of the operator that comes first: in brackets, then × and ÷, then + and -."""
    start = terms.index("(") if "(" in terms else 0
    end = terms.index(")") if "(" in terms else len(terms)
    operators = [i for i in range(start, end) if terms[i] in WORK]
    return next((i for i in operators if terms[i] in ("×", "÷")), operators[0])


def written(terms):
    later = [bracketed(term) if isinstance(term, int) else term for term in terms[1:]]
    shown = [str(terms[0])] + later
    return " ".join(shown).replace("( ", "(").replace(" )", ")")


def signed(a, b, op, whole, result):
    """Product or quotient of numbers with signs, by that of their sizes."""
    if a >= 0 and b >= 0:
        return whole(a, b)
    sign = "-" if (a < 0) != (b < 0) else ""
    line = f"{a} {op} {bracketed(b)} = {sign}({abs(a)} {op} {abs(b)})"
    return [line] + whole(abs(a), abs(b)) + [f"{a} {op} {bracketed(b)} = {result}"]


def plus(a, b):
    if a >= 0 and b >= 0:
        return add_columns(a, b)
    if a < 0 and b < 0:
        lines = [f"{a} + ({b}) = -({-a} + {-b})"] + add_columns(-a, -b)
    elif a < 0:
        lines = [f"{a} + {b} = {b} - {-a}"] + minus(b, -a)
    else:
        lines = [f"{a} + ({b}) = {a} - {-b}"] + minus(a, -b)
    return lines + [f"{a} + {bracketed(b)} = {a + b}"]


def compared(a, b):
    """Which of two numbers is larger, by the first digit that differs; [] where it is plain."""
    if len(str(a)) != len(str(b)) or max(a, b) < 10:
        return []
    shown = ""
    for x, y in zip(str(a), str(b)):
        if x != y:
            return [f"{shown}{x} {'>' if x > y else '<'} {y}, so {max(a, b)} is larger"]
        shown += f"{x} = {y}, "
    return [shown + "so they are equal"]


def minus(a, b):
    if a >= b >= 0:
        return compared(a, b) + subtract_columns(a, b)
    if a >= 0 and b >= 0:
        lines = compared(a, b) + [f"{a} is less than {b}, the result is negative"]
        lines += subtract_columns(b, a)
    elif b >= 0:
        lines = [f"{a} - {b} = -({-a} + {b})"] + add_columns(-a, b)
    else:
        lines = [f"{a} - ({b}) = {a} + {-b}"] + plus(a, -b)
    return lines + [f"{a} - {bracketed(b)} = {a - b}"]


def times(a, b):
    return signed(a, b, "×", times_whole, a * b)


def divide(a, b):
    """a ÷ b; with signs only where it comes out even."""
    return signed(a, b, "÷", divide_whole, a // b)


WORK = {"+": plus, "-": minus, "×": times, "÷": divide}


def hundredth(n):
    """n ÷ 100 as a decimal number."""
    return str(n // 100) if n % 100 == 0 else f"{n // 100}.{n % 100:02}".rstrip("0")


def percent(p, n):
    result = f"{p}% of {n} = {hundredth(p * n)}"
    if p == 100:
        return [result]
    lines = [f"{p}% of {n} = {n} × {p} ÷ 100"] + times(n, p)
    return lines + [f"{p * n} ÷ 100 = {hundredth(p * n)}", result]


def solve(name, a, b, c):
    """The lines that solve a·name + b = c; the last one is "name = number" if that is whole."""
    factor = {1: "", -1: "-"}.get(a, str(a)) + name
    constant = f" {'-' if b < 0 else '+'} {abs(b)}" if b else ""
    lines, right = [f"{factor}{constant} = {c}"], c - b
    if b:
        undo, sign = (plus, "+") if b < 0 else (minus, "-")
        lines.append(f"{factor} = {c} {sign} {abs(b)}")
        lines += undo(c, abs(b)) + [f"{factor} = {right}"]
    if a != 1:
        lines.append(f"{name} = {right} ÷ {bracketed(a)}")
    if right % a:
        return lines + divide_whole(abs(right), abs(a))
    return lines + (divide(right, a) + [f"{name} = {right // a}"] if a != 1 else [])
