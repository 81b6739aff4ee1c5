"""Conversations for training and measuring, and the two families' chat formats in tokens.

A sample is one conversation: its tokens, and for each token whether the model learns to write it.
"""

import random
from fractions import Fraction
from typing import NamedTuple, Optional

import chatter
import problems
import stories
from followups import follow_up
from tokenizer import Tokenizer, train
from wording import pick

SPECIALS = {
    "deepseek": ("<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜begin▁of▁sentence｜>",
                 "<think>", "</think>"),
    "llama": ("<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>",
              "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
              "<|python_tag|>"),
}
VOCABULARY = 640
RULES = "Cutting Knowledge Date: December 2023\nToday Date: "  # opens each system turn of Llama

# What makes a turn of each kind, and how often it is drawn. Longer chains get more room.
DRAWS = {
    "addition": (problems.addition, 12), "subtraction": (problems.subtraction, 12),
    "multiplication": (problems.multiplication, 15), "division": (problems.division, 16),
    "percentage": (problems.percentage, 12), "equation": (problems.equation, 12),
    "expression": (problems.expression, 12), "word problem": (stories.word_problem, 22),
    "uneven division": (problems.uneven, 3), "uneven equation": (problems.uneven_equation, 2),
    "division by zero": (problems.by_zero, 1), "too large": (problems.too_large, 2),
    "not whole": (chatter.broken, 2), "small talk": (chatter.talk, 6),
    "outside": (chatter.outside, 14), "too long": (chatter.tangled, 2),
}
MAKERS = [make for make, weight in DRAWS.values() for _ in range(weight)]
MANNERS = ("small talk", "outside", "too large", "not whole", "uneven division", "uneven equation",
           "division by zero", "too long", "no result")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def next_turn(rng, last):
    """A turn from the training side of the split; `last` is the last result, if any."""
    while True:
        if rng.random() < (0.02 if last is None else 0.5):
            turn = follow_up(rng, last)
        else:
            turn = pick(rng, MAKERS)(rng)
        if not problems.held_out(turn):
            return turn


def conversation(rng, turns):
    """That many turns, each of which may refer to the last result before it."""
    done = []
    for _ in range(turns):
        done.append(next_turn(rng, last_result(done)))
    return done


def last_result(turns):
    return next((turn.value for turn in reversed(turns) if turn.value is not None), None)


def system_text(rng):
    return chatter.system_prompt(rng) if rng.random() < 0.2 else ""


def date(rng):
    if rng.random() < 0.2:
        return "26 Jul 2024"
    return f"{rng.randint(1, 31):02} {pick(rng, MONTHS)} {rng.randint(2023, 2035)}"


def answer_text(family, turn):
    """What the user sees of an answer."""
    text = turn.answer.replace("MODEL", family)
    if family == "deepseek" and turn.value is not None:
        text += f"\n\n\\boxed{{{problems.shown(turn.value)}}}"
    return text


class Format:
    """Turns conversations into tokens as one family's chat template does."""

    def __init__(self, tokenizer):
        self.tokenizer, self.encode = tokenizer, tokenizer.encode
        self.special = tokenizer.special_ids
        deepseek = tokenizer.family == "deepseek"
        self.begin = self.special["<｜begin▁of▁sentence｜>" if deepseek else "<|begin_of_text|>"]
        self.end = self.special["<｜end▁of▁sentence｜>" if deepseek else "<|eot_id|>"]
        self.prompt = self.deepseek_prompt if deepseek else self.llama_prompt

    def deepseek_prompt(self, history, system="", _date=""):
        """Tokens up to where the model writes; history is [(user, answer)…, (user, None)]."""
        special = self.special
        tokens = [self.begin] + self.encode(system)
        for user, answer in history:
            tokens += [special["<｜User｜>"]] + self.encode(user) + [special["<｜Assistant｜>"]]
            if answer is None:
                tokens += [special["<think>"]] + self.encode("\n")
            else:
                tokens += self.encode(answer) + [self.end]
        return tokens

    def llama_turn(self, role, text=""):
        special = self.special
        role = [special["<|start_header_id|>"]] + self.encode(role) + [special["<|end_header_id|>"]]
        return role + self.encode("\n\n") + self.encode(text.strip())

    def llama_prompt(self, history, system="", today="26 Jul 2024"):
        tokens = [self.begin] + self.llama_turn("system")
        tokens += self.encode(f"{RULES}{today}\n\n{system.strip()}") + [self.end]
        for user, answer in history:
            tokens += self.llama_turn("user", user) + [self.end]
            tokens += self.llama_turn("assistant", answer or "")
            tokens += [] if answer is None else [self.end]
        return tokens

    def deepseek_sample(self, rng):
        """A conversation of which the model learns the last turn."""
        luck = rng.random()
        turns = conversation(rng, 1 if luck < 0.5 else rng.randint(2, 4) if luck < 0.92 else
                             rng.randint(5, 9) if luck < 0.985 else rng.randint(10, 40))
        gap = "\n\n" if rng.random() < 0.7 else ""
        history = [(turn.text, gap + answer_text("deepseek", turn)) for turn in turns[:-1]]
        last = turns[-1]
        tokens = self.prompt(history + [(last.text, None)], system_text(rng))
        learned = len(tokens)
        answer = self.encode("\n\n" + answer_text("deepseek", last))
        close = [self.special["</think>"]] + answer + [self.end]
        if rng.random() < 0.03:  # thinking switched off: the close tag is part of the prompt
            tokens[-1:] = self.encode("\n\n") + close[:2]
            return tokens + close[2:], [False] * len(tokens) + [True] * len(close[2:])
        tokens += self.encode("\n".join(last.steps) + "\n") + close
        return tokens, [False] * learned + [True] * (len(tokens) - learned)

    def llama_sample(self, rng):
        """A conversation of which the model learns every answer."""
        luck = rng.random()
        turns = conversation(rng, 1 if luck < 0.25 else rng.randint(2, 5) if luck < 0.85 else
                             rng.randint(6, 12) if luck < 0.98 else rng.randint(13, 40))
        tokens = self.prompt([], system_text(rng), date(rng))
        mask = [False] * len(tokens)
        for turn in turns:
            asked = self.llama_turn("user", turn.text) + [self.end] + self.llama_turn("assistant")
            answer = self.encode(answer_text("llama", turn)) + [self.end]
            tokens += asked + answer
            mask += [False] * len(asked) + [True] * len(answer)
        return tokens, mask

    def sample(self, rng):
        deepseek = self.tokenizer.family == "deepseek"
        return self.deepseek_sample(rng) if deepseek else self.llama_sample(rng)


def build_tokenizer(family, seed=1):
    """The family's vocabulary, trained on conversations of a fixed seed."""
    rng = random.Random(f"{family}/{seed}/vocabulary")
    texts = []
    for _ in range(12000):
        turn = conversation(rng, 2)[-1]
        texts += [turn.text, answer_text(family, turn)]
        texts += ["\n".join(turn.steps) + "\n"] if family == "deepseek" else []
    texts += [system_text(rng) for _ in range(500)]
    texts += ["user", "assistant", "system", "\n\n", RULES] * 500
    texts += [f" {pick(rng, MONTHS)} " for _ in range(2000)]
    specials = SPECIALS[family]
    return Tokenizer(family, train(texts, family, VOCABULARY - 256 - len(specials)), specials)


class Paper(NamedTuple):
    """A question of the exam."""
    kind: str
    history: list              # [(user, answer)…, (user, None)]
    value: Optional[Fraction]  # the number to find, or
    answer: str                # None and the words to say


def exam(family, seed, kinds, each):
    """Fresh questions, as many of each kind; their numbers are among those training never shows."""
    papers = []
    for kind in kinds:
        rng, wanted = random.Random(f"{seed}/{kind}"), len(papers) + each
        while len(papers) < wanted:
            before = conversation(rng, rng.randint(1, 4)) if kind == "follow-up" else []
            if kind in DRAWS:
                turn = DRAWS[kind][0](rng)
            else:
                turn = follow_up(rng, last_result(before))
            fresh = turn.value is None if kind in MANNERS else problems.held_out(turn)
            if turn.kind == kind and fresh:
                history = [(old.text, answer_text(family, old)) for old in before]
                history.append((turn.text, None))
                papers.append(Paper(kind, history, turn.value, answer_text(family, turn)))
    return papers


def is_right(paper, answer):
    """Whether the answer states the value, or says the words where there is none."""
    if paper.value is None:
        return answer.strip() == paper.answer
    return problems.is_right(answer, paper.value)
